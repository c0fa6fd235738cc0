import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { decodeNpy, encodeNpy, openNpy, readNpy, writeNpy } from '../../lib/io';
import type { NpyArray } from '../../lib/io';

/** Files that the real NumPy wrote: see fixtures/make.py. */
const fixtures = path.join(__dirname, '..', 'fixtures');

const arrays: [string, NpyArray][] = [
  ['uint8', { dtype: 'uint8', shape: [2, 3, 4], data: Uint8Array.from({ length: 24 }, (_, i) => i) }],
  ['int32', { dtype: 'int32', shape: [5], data: Int32Array.of(-(2 ** 31), -1, 0, 1, 2 ** 31 - 1) }],
  [
    'float32',
    { dtype: 'float32', shape: [2, 3], data: Float32Array.of(0.1, -0, Infinity, NaN, 1e-45, -3.5) },
  ],
  ['float64', { dtype: 'float64', shape: [], data: Float64Array.of(Math.PI) }],
  ['empty', { dtype: 'uint8', shape: [0, 28, 28], data: new Uint8Array(0) }],
];

test.each(arrays)('%s.npy of NumPy is read exactly', (name, array) => {
  const read = readNpy(path.join(fixtures, `${name}.npy`));
  expect(read.dtype).toBe(array.dtype);
  expect(read.shape).toEqual(array.shape);
  expect(read.data[Symbol.toStringTag]).toBe(array.data[Symbol.toStringTag]);
  expect(Array.from(read.data)).toEqual(Array.from(array.data));
});

test.each(arrays)('%s is written with the very bytes of NumPy', (name, array) => {
  expect(encodeNpy(array).equals(fs.readFileSync(path.join(fixtures, `${name}.npy`)))).toBe(true);
});

test('the data always begin at a multiple of 64 and come back, whatever the shape', () => {
  for (let rank = 0; rank < 40; rank++) {
    const shape: number[] = new Array(rank).fill(1);
    const bytes = encodeNpy({ dtype: 'int32', shape, data: Int32Array.of(-7) });
    expect((bytes.length - 4) % 64).toBe(0);
    expect(decodeNpy(bytes)).toMatchObject({ shape });
  }
});

describe('on the disk', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'npy-'));
    file = path.join(folder, 'samples.npy');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test('batches give the same file as one write, and it appears only when complete', () => {
    const data = Uint8Array.from({ length: 5 * 28 * 28 }, (_, i) => i % 251);
    const writer = openNpy(file, { dtype: 'uint8', shape: [5, 28, 28] });
    for (const [from, to] of [
      [0, 2],
      [2, 4],
      [4, 5],
    ] as const) {
      writer.write(data.subarray(from * 784, to * 784));
      expect(fs.existsSync(file)).toBe(false);
    }
    writer.close();
    expect(fs.readFileSync(file).equals(encodeNpy({ dtype: 'uint8', shape: [5, 28, 28], data }))).toBe(true);
    expect(fs.readdirSync(folder)).toEqual(['samples.npy']);
  });

  test('a stopped or short run leaves the old file and nothing else', () => {
    const old: NpyArray = { dtype: 'float32', shape: [1], data: Float32Array.of(1.5) };
    writeNpy(file, old);
    const stopped = openNpy(file, { dtype: 'uint8', shape: [2, 3] });
    stopped.write(Uint8Array.of(1, 2, 3));
    stopped.abort();
    const short = openNpy(file, { dtype: 'uint8', shape: [2, 3] });
    short.write(Uint8Array.of(1, 2, 3));
    expect(() => short.close()).toThrow(/announced with 2 rows, but only 1 came/);
    expect(readNpy(file)).toMatchObject({ dtype: 'float32', shape: [1] });
    expect(fs.readdirSync(folder)).toEqual(['samples.npy']);
  });
});
