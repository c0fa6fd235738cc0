import { classCounts, loadMnist, sliceDataset } from '../../lib/datasets';

const mnist = loadMnist();
const { train, validation, test: held } = mnist;

test('55,000 pictures to train, 5,000 to validate, 10,000 to test', () => {
  for (const [split, count] of [
    [train, 55000],
    [validation, 5000],
    [held, 10000],
  ] as const) {
    expect(split).toMatchObject({
      name: 'mnist',
      count,
      height: 28,
      width: 28,
      channels: 1,
      classes: 10,
      range: [-1, 1],
    });
    expect(split.images.length).toBe(count * 784);
    expect(split.labels.length).toBe(count);
  }
  expect([train.split, validation.split, held.split]).toEqual(['train', 'validation', 'test']);
});

test('the digits and their known counts', () => {
  expect(Array.from(train.labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  const both = classCounts(train).map((count, digit) => count + classCounts(validation)[digit]!);
  expect(both).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  expect(classCounts(held)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
});

test('the known mean 0.1307 and deviation 0.3081 of the 60,000 pictures', () => {
  const histogram = new Float64Array(256);
  for (const split of [train, validation]) for (const byte of split.images) histogram[byte]++;
  const moment = (power: number) =>
    histogram.reduce((sum, count, byte) => sum + count * (byte / 255) ** power, 0) / (60000 * 784);
  expect(moment(1)).toBeCloseTo(0.1307, 4);
  expect(Math.sqrt(moment(2) - moment(1) ** 2)).toBeCloseTo(0.3081, 4);
});

test('the splits are views of one file: validation is its end, nothing is copied', () => {
  expect(validation.images.buffer).toBe(train.images.buffer);
  expect(validation.images.byteOffset).toBe(train.images.byteOffset + train.images.length);
  expect(loadMnist({ validationCount: 0 })).toMatchObject({
    train: { count: 60000 },
    validation: { count: 0 },
  });
  const two = sliceDataset(train, 'two', 1, 3);
  expect(Array.from(two.labels)).toEqual([0, 4]);
  expect(two.images.buffer).toBe(train.images.buffer);
});

test('bad numbers are refused', () => {
  for (const validationCount of [-1, 60000, 0.5])
    expect(() => loadMnist({ validationCount })).toThrow(/from 0 to 59999/);
  expect(() => sliceDataset(held, 'x', 9000, 10001)).toThrow(/there are 10000/);
});
