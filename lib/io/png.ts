import { PNG } from 'pngjs';
import { writeFileAtomic } from './atomic';
import { readWhole } from './read';

/** A picture in bytes, row by row from the top left; 1 channel is grey, 3 are red, green, blue. */
export interface Raster {
  width: number;
  height: number;
  channels: 1 | 3;
  /** `width * height * channels` values in 0..255. */
  data: Uint8Array;
}

const GREY = 0;
const RGB = 2;

/** @throws Error when the numbers of a raster do not fit together. */
export function checkRaster({ width, height, channels, data }: Raster): void {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
    throw new Error(
      `A raster must have whole, positive sides, but it is ${width} x ${height}. Is the list of images empty?`,
    );
  if (channels !== 1 && channels !== 3)
    throw new Error(`A raster must have 1 (grey) or 3 (RGB) channels, not ${channels}.`);
  const wanted = width * height * channels;
  if (data.length !== wanted)
    throw new Error(
      `A ${width} x ${height} raster of ${channels} channel(s) needs ${wanted} bytes, but has ${data.length}.`,
    );
}

/**
 * The PNG file (8 bits a channel, lossless) of a grey or RGB picture.
 * @throws Error when `data` does not have `width * height * channels` values.
 */
export function encodePng(raster: Raster): Buffer {
  checkRaster(raster);
  const { width, height, channels, data } = raster;
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const colorType = channels === 1 ? GREY : RGB;
  return PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: false, bitDepth: 8 });
}

/**
 * Reads a grey or RGB PNG; `name` is what errors call it.
 * @throws Error when the bytes are damaged, or have transparency, a palette or 16 bits a channel.
 */
export function decodePng(bytes: Uint8Array, name = 'the PNG data'): Raster {
  let png: PNG & { colorType?: number; depth?: number };
  try {
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new Error(`${name} is not a whole PNG file: ${(error as Error).message}. Make or copy it again.`, {
      cause: error,
    });
  }
  const { width, height, colorType, depth = 8, data } = png;
  if ((colorType !== GREY && colorType !== RGB) || depth > 8)
    throw new Error(
      `${name} has PNG colour type ${colorType} with ${depth} bits, but only 8-bit grey and RGB without transparency are read. ` +
        'Save it anew in one of these.',
    );
  const channels = colorType === GREY ? 1 : 3; // pngjs hands out four channels whatever the file has
  const pixels = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < channels; c++) pixels[i * channels + c] = data[i * 4 + c]!;
  return { width, height, channels, data: pixels };
}

/** Writes a picture as a PNG file, atomically. @throws Error as `encodePng` and `writeFileAtomic` do. */
export function writePng(file: string, raster: Raster): void {
  writeFileAtomic(file, encodePng(raster));
}

/** Reads a PNG file. @throws Error as `decodePng` does, and when the file is missing. */
export function readPng(file: string): Raster {
  return decodePng(readWhole(file, 'the picture'), file);
}
