import { batchCount, batches, batchesFrom, fromPixels, toBatch, toPixels } from '../../lib/datasets';
import type { ImageDataset } from '../../lib/datasets';
import { createGenerator, tf } from '../../lib/engine';

const generator = createGenerator(0);
const order = (count: number, batchSize: number, epoch = 0, dropLast?: boolean, from = generator) =>
  [...batches({ count }, { batchSize, generator: from, epoch, dropLast })].map((batch) => Array.from(batch));

describe('the order of the pictures', () => {
  test('an epoch has each picture once, in full batches', () => {
    const seen = order(1000, 100);
    expect(seen.map((batch) => batch.length)).toEqual(new Array(10).fill(100));
    expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(seen.flat()).not.toEqual(seen.flat().sort((a, b) => a - b));
  });

  test('an incomplete batch is dropped, or kept when wanted', () => {
    expect(order(10, 4).map((batch) => batch.length)).toEqual([4, 4]);
    expect(order(10, 4, 0, false).map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect([
      batchCount({ count: 10 }, { batchSize: 4 }),
      batchCount({ count: 10 }, { batchSize: 4, dropLast: false }),
    ]).toEqual([2, 3]);
  });

  test('it depends on seed and epoch, and on nothing else', () => {
    expect(order(100, 10)).toEqual(order(100, 10));
    expect(order(100, 10).flat()).toEqual(order(100, 50).flat());
    expect(order(100, 10, 1)).not.toEqual(order(100, 10, 0));
    expect(order(100, 10, 0, true, createGenerator(1))).not.toEqual(order(100, 10));
  });

  test('without end: one epoch after the other, from any step on', () => {
    const all = [0, 1, 2].flatMap((epoch) => order(11, 4, epoch).map((indices) => ({ epoch, indices })));
    for (const step of [undefined, 0, 1, 2, 5]) {
      const rest = batchesFrom({ count: 11 }, { batchSize: 4, generator, step });
      const taken = all.slice(step ?? 0).map(() => rest.next().value);
      expect(taken.map(({ epoch, indices }) => ({ epoch, indices: Array.from(indices) }))).toEqual(
        all.slice(step ?? 0),
      );
    }
    expect(() => batchesFrom({ count: 10 }, { batchSize: 11, generator })).toThrow(/batchSize must be/);
  });

  test('numbers that do not fit are refused at the call, before the first batch is taken', () => {
    for (const batchSize of [0, -1, 1.5, NaN, 11])
      expect(() => batches({ count: 10 }, { batchSize, generator, epoch: 0 })).toThrow(
        /batchSize must be .* from 1 to 10/,
      );
    expect(() => batches({ count: 10 }, { batchSize: 5, generator, epoch: -1 })).toThrow(/epoch must be/);
  });
});

describe('bytes and tensors', () => {
  /** Three 2 x 2 pictures. */
  const dataset: ImageDataset = {
    kind: 'images',
    name: 'toy',
    split: 'train',
    count: 3,
    height: 2,
    width: 2,
    channels: 1,
    classes: 3,
    range: [-1, 1],
    images: Uint8Array.of(0, 255, 51, 204, 1, 2, 3, 4, 250, 251, 252, 253),
    labels: Uint8Array.of(0, 1, 2),
  };
  const levels = Uint8Array.from({ length: 256 }, (_, i) => i);

  test('0 is -1 and 255 is 1 exactly, and all 256 levels come back', () => {
    const x = fromPixels(levels, [1, 16, 16, 1]);
    const data = x.dataSync();
    expect([data[0], data[255]]).toEqual([-1, 1]);
    levels.forEach((byte) => expect(data[byte]).toBe(Math.fround(byte / 127.5 - 1)));
    expect(Array.from(toPixels(x))).toEqual(Array.from(levels));
    x.dispose();
  });

  test('outside of [-1, 1] is clipped, halves are rounded', () => {
    const x = tf.tensor1d([-5, -1.001, 1.001, Infinity, -Infinity, 0.2 / 127.5 - 1, 0.8 / 127.5 - 1]);
    expect(Array.from(toPixels(x))).toEqual([0, 0, 255, 255, 0, 0, 1]);
    x.dispose();
  });

  test('a value that is no number is an error, not a black pixel', () => {
    const x = tf.tensor2d([
      [0, 1],
      [NaN, 0],
    ]);
    expect(() => toPixels(x)).toThrow(/Value 2 of a tensor of shape \[2, 2\] is NaN.*diverged/);
    x.dispose();
  });

  test('a batch has the pictures asked for, in that order, also twice', () => {
    const x = toBatch(dataset, [2, 0, 2]);
    expect([x.shape, x.dtype]).toEqual([[3, 2, 2, 1], 'float32']);
    expect(Array.from(toPixels(x))).toEqual([250, 251, 252, 253, 0, 255, 51, 204, 250, 251, 252, 253]);
    x.dispose();
  });

  test('changing the bytes afterwards, or making another batch, does not change a batch', () => {
    const images = Uint8Array.from(dataset.images);
    const own = { ...dataset, images };
    const first = toBatch(own, [0, 1]);
    images.fill(7);
    const second = toBatch(own, [0, 1]);
    expect(Array.from(toPixels(first))).toEqual([0, 255, 51, 204, 1, 2, 3, 4]);
    expect(Array.from(toPixels(second))).toEqual(new Array(8).fill(7));
    tf.dispose([first, second]);
  });

  test('indices outside and empty lists are refused; no tensor is left over', () => {
    const before = tf.memory().numTensors;
    for (const index of [-1, 3, 0.5, NaN])
      expect(() => toBatch(dataset, [0, index])).toThrow(/is no sample of toy/);
    expect(() => toBatch(dataset, [])).toThrow(/at least one index/);
    expect(() => fromPixels(levels, [1, 16, 15, 1])).toThrow(/needs 240 pixels, but there are 256/);
    const x = toBatch(dataset, Uint32Array.of(1));
    expect(tf.memory().numTensors).toBe(before + 1);
    x.dispose();
  });
});
