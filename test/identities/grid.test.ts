import { fromPixels } from '../../lib/datasets';
import { tf } from '../../lib/engine';
import { decodePng, encodePng } from '../../lib/io';
import { imageGrid, previewRaster } from '../../lib/viz';

/** Three pictures, 1 high and 2 wide: 1 2 | 3 4 | 5 6. */
const three = { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), count: 3, height: 1, width: 2 };
const rows = ({ width, data }: { width: number; data: Uint8Array }) =>
  Array.from({ length: data.length / width }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width)),
  );

test('pictures from the top left in rows, the square-most layout by default, empty places in the background', () => {
  expect(rows(imageGrid(three, { scale: 1, gap: 0, background: 9 }))).toEqual([
    [1, 2, 3, 4],
    [5, 6, 9, 9],
  ]);
  expect(rows(imageGrid(three, { scale: 1, gap: 0, columns: 3 }))).toEqual([[1, 2, 3, 4, 5, 6]]);
  expect(rows(imageGrid(three, { scale: 1, gap: 0, columns: 1 }))).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
  expect(rows(imageGrid(three, { scale: 1, gap: 0, columns: 50 }))).toEqual([[1, 2, 3, 4, 5, 6]]);
});

test('the gap is around and between, and each pixel becomes a square', () => {
  expect(rows(imageGrid(three, { scale: 1, gap: 1, background: 0 }))).toEqual([
    [0, 0, 0, 0, 0, 0, 0],
    [0, 1, 2, 0, 3, 4, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 5, 6, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
  ]);
  expect(rows(imageGrid(three, { scale: 2, gap: 0, columns: 1 }))).toEqual([
    [1, 1, 2, 2],
    [1, 1, 2, 2],
    [3, 3, 4, 4],
    [3, 3, 4, 4],
    [5, 5, 6, 6],
    [5, 5, 6, 6],
  ]);
});

test('a tensor in [-1, 1] gives the same picture as its bytes, and stays the caller’s', () => {
  const x = fromPixels(three.pixels, [3, 1, 2, 1]);
  const before = tf.memory().numTensors;
  expect(Array.from(imageGrid(x).data)).toEqual(Array.from(imageGrid(three).data));
  expect(tf.memory().numTensors).toBe(before);
  x.dispose();
});

test('colour pictures keep their channels', () => {
  const grid = imageGrid(
    { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), count: 2, height: 1, width: 1, channels: 3 },
    { scale: 1, gap: 0 },
  );
  expect(grid).toMatchObject({ width: 2, height: 1, channels: 3 });
  expect(Array.from(decodePng(encodePng(grid)).data)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('numbers that do not fit are refused', () => {
  expect(() => imageGrid({ ...three, count: 2 })).toThrow(/needs 4 bytes, but has 6/);
  expect(() => imageGrid({ ...three, pixels: new Uint8Array(0), count: 0 })).toThrow(/list of images empty/);
  for (const [name, value] of [
    ['columns', 0],
    ['scale', 0.5],
    ['gap', -1],
    ['background', 256],
  ])
    // prettier-ignore
    expect(() => imageGrid(three, { [name!]: value })).toThrow(new RegExp(`^${name} must be a whole number from`));
  const flat = tf.zeros([3, 2]) as tf.Tensor as tf.Tensor4D;
  expect(() => imageGrid(flat)).toThrow(
    /must have the shape \[count, height, width, channels\], not \[3, 2\]/,
  );
  flat.dispose();
});

test('a preview in characters: dark is a space, light is @, two rows of pixels a line', () => {
  const raster = {
    width: 3,
    height: 3,
    channels: 1 as const,
    data: Uint8Array.of(0, 255, 0, 0, 255, 255, 255, 0, 0),
  };
  expect(previewRaster(raster)).toBe(' @+\n@\n'); // 255 * 0.5 is in the middle of the scale
  expect(
    previewRaster({ width: 4, height: 4, channels: 1, data: new Uint8Array(16).fill(255) }, { columns: 2 }),
  ).toBe('@@\n');
});

test('a preview in colours: the upper pixel before, the lower one behind', () => {
  const data = Uint8Array.of(255, 0, 0, 0, 0, 255);
  expect(previewRaster({ width: 1, height: 2, channels: 3, data }, { color: true })).toBe(
    '\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[0m\n',
  );
});
