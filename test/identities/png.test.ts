import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { PNG } from 'pngjs';
import { inflateSync } from 'zlib';
import { decodePng, encodePng, readPng, writePng } from '../../lib/io';
import type { Raster } from '../../lib/io';

const grey: Raster = {
  width: 16,
  height: 16,
  channels: 1,
  data: Uint8Array.from({ length: 256 }, (_, i) => i),
};
const rgb: Raster = { width: 2, height: 1, channels: 3, data: Uint8Array.of(255, 0, 1, 7, 128, 254) };

test.each([
  ['grey', grey, 0],
  ['RGB', rgb, 2],
])('a %s picture comes back exactly and is stored in its own colour type', (_, raster, colorType) => {
  const bytes = encodePng(raster);
  expect(Array.from(bytes.subarray(1, 4))).toEqual([80, 78, 71]);
  expect(bytes[24]).toBe(8); // IHDR: bits a channel
  expect(bytes[25]).toBe(colorType);
  const back = decodePng(bytes);
  expect(back).toMatchObject({ width: raster.width, height: raster.height, channels: raster.channels });
  expect(Array.from(back.data)).toEqual(Array.from(raster.data));
});

test('the file says the pixels themselves: undone by zlib alone', () => {
  const bytes = encodePng({ width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 0, 0, 0) });
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  expect(rows.length).toBe(2 * (1 + 2)); // one filter byte a row, one byte a pixel: no alpha
  expect(Array.from(rows.filter((_, i) => i % 3 > 0))).toEqual([0, 0, 0, 0]);
});

test('a view into a larger buffer is encoded without its neighbours', () => {
  const all = Uint8Array.of(9, 9, 1, 2, 3, 4, 9);
  const back = decodePng(encodePng({ width: 2, height: 2, channels: 1, data: all.subarray(2, 6) }));
  expect(Array.from(back.data)).toEqual([1, 2, 3, 4]);
});

test('files go through the disk', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'png-'));
  const file = path.join(folder, 'a.png');
  writePng(file, rgb);
  expect(Array.from(readPng(file).data)).toEqual(Array.from(rgb.data));
  expect(fs.readdirSync(folder)).toEqual(['a.png']);
  fs.rmSync(folder, { recursive: true });
});

test('numbers that do not fit are refused', () => {
  expect(() => encodePng({ ...grey, width: 15 })).toThrow(/15 x 16 .* needs 240 bytes, but has 256/);
  expect(() => encodePng({ ...grey, channels: 4 as 3 })).toThrow(/1 \(grey\) or 3 \(RGB\)/);
  expect(() => encodePng({ width: 0, height: 0, channels: 1, data: new Uint8Array(0) })).toThrow(/0 x 0/);
});

test('a file cut anywhere, or with any changed byte of its pixels, is an error with its name', () => {
  const bytes = encodePng(grey);
  for (let length = 0; length < bytes.length - 12; length++)
    // the last 12 bytes are the empty IEND
    expect(() => decodePng(bytes.subarray(0, length), 'a.png')).toThrow(/^a\.png is not a whole PNG file/);
  const at = bytes.indexOf('IDAT') + 8;
  const broken = Buffer.from(bytes);
  broken[at] = broken[at]! ^ 1;
  expect(() => decodePng(broken, 'a.png')).toThrow(/^a\.png is not a whole PNG file/);
  expect(() => readPng('no-such.png')).toThrow(/no-such\.png: there is no such file/);
});

test('transparency and 16 bits are refused by name, not silently changed', () => {
  const clear = PNG.sync.write(new PNG({ width: 1, height: 1, fill: true })); // RGBA
  expect(() => decodePng(clear, 'a.png')).toThrow(/^a\.png has PNG colour type 6 with 8 bits.*Save it anew/);
  const png = new PNG({ width: 1, height: 1 });
  const deep = PNG.sync.write(png, { colorType: 0, bitDepth: 16 });
  expect(() => decodePng(deep, 'a.png')).toThrow(/^a\.png has PNG colour type 0 with 16 bits/);
});
