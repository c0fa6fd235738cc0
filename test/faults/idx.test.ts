import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { gzipSync } from 'zlib';
import { loadMnist, readIdx } from '../../lib/datasets';

/** An idx file: magic number, lengths of the axes, then so many bytes. */
function idx(magic: number, shape: number[], bytes: number): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  [magic, ...shape].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  return Buffer.concat([header, Buffer.alloc(bytes)]);
}

const IMAGES = 2051;
const LABELS = 2049;
const names = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

let directory: string;
const put = (name: string, content: Buffer) => fs.writeFileSync(path.join(directory, name), content);
const load = () => loadMnist({ directory, validationCount: 1 });
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'idx-'));
  put(names[0]!, idx(IMAGES, [3, 28, 28], 3 * 784));
  put(names[1]!, idx(LABELS, [3], 3));
  put(names[2]!, idx(IMAGES, [2, 28, 28], 2 * 784));
  put(names[3]!, idx(LABELS, [2], 2));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

test('the small dataset of this test is read', () => {
  const { train, validation, test: held } = load();
  expect([train.count, validation.count, held.count]).toEqual([2, 1, 2]);
});

test.each(names)('a missing %s is named', (name) => {
  fs.rmSync(path.join(directory, name));
  expect(load).toThrow(new RegExp(`${name}: there is no such file`));
});

test.each(names)(
  '%s cut anywhere, or with a byte too many, is named with found, expected and remedy',
  (name) => {
    const whole = fs.readFileSync(path.join(directory, name));
    for (const length of [0, 3, 4, 7, 8, whole.length - 1].filter((n) => n < whole.length)) {
      put(name, whole.subarray(0, length));
      expect(load).toThrow(new RegExp(`${name} has ${length} bytes.*expected .*delete it and get it again`));
    }
    put(name, Buffer.concat([whole, Buffer.alloc(1)]));
    expect(load).toThrow(
      new RegExp(`${name} has ${whole.length + 1} bytes, expected ${whole.length} for the shape`),
    );
  },
);

test('another magic number: images for labels, other elements, a download page, a packed file', () => {
  put(names[0]!, fs.readFileSync(path.join(directory, names[1]!)));
  expect(load).toThrow(/train-images-idx3-ubyte has 11 bytes, expected at least the 16 of its header/);
  put(names[1]!, idx(IMAGES, [3, 28, 28], 3 * 784));
  put(names[0]!, idx(0x0d03, [3, 28, 28], 4 * 3 * 784));
  expect(load).toThrow(
    /train-images-idx3-ubyte has the magic number 3331, expected 2051 \(unsigned bytes, 3 axes\)/,
  );
  put(names[0]!, idx(IMAGES, [3, 28, 28], 3 * 784));
  expect(load).toThrow(/train-labels-idx1-ubyte has the magic number 2051, expected 2049/);
  put(names[1]!, Buffer.from('<!DOCTYPE html><html>'));
  expect(load).toThrow(/train-labels-idx1-ubyte has the magic number/);
  put(names[1]!, gzipSync(idx(LABELS, [3], 3)));
  expect(load).toThrow(
    /train-labels-idx1-ubyte has the mark of a gzip file, expected an idx file; unpack it/,
  );
});

test('images and labels that do not belong together', () => {
  put(names[3]!, idx(LABELS, [3], 3));
  expect(load).toThrow(/t10k-images-idx3-ubyte has 2 pictures, but .*t10k-labels-idx1-ubyte has 3 labels/);
  const labels = idx(LABELS, [2], 2);
  labels[9] = 10;
  put(names[3]!, labels);
  expect(load).toThrow(/Label 1 of .*t10k-labels-idx1-ubyte is 10, expected 0 to 9/);
});

test('pictures of another size', () => {
  put(names[2]!, idx(IMAGES, [2, 32, 32], 2 * 1024));
  expect(load).toThrow(/t10k-images-idx3-ubyte are 32 x 32, expected 28 x 28/);
  expect(readIdx(path.join(directory, names[2]!), 3).shape).toEqual([2, 32, 32]);
});
