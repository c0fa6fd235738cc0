import { deflateSync } from 'zlib';
import { checkRaster } from './png';
import type { Raster } from './png';

export interface ApngOptions {
  /** Milliseconds for which each frame is seen; one number for all, or one for each. */
  delays: number | number[];
  /** How often the animation runs before it rests on its last frame; 0 is for ever. */
  plays: number;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** The checksum of PNG: the remainder by x^32 + x^26 + ... + 1, a byte at a time (PNG specification, annex D). */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = crcTable[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** A part of a PNG file: length, name, content, checksum. `numbers` stand before the content, 4 bytes each. */
function chunk(name: string, numbers: number[], content: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => head.writeUInt32BE(number, 4 * i));
  const body = Buffer.concat([Buffer.from(name, 'latin1'), head, content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * Compressed rows. Each begins with the number of its filter: 0 keeps the bytes, 2 subtracts the row above, which is
 * good for enlarged pictures. All rows take the filter that gives the shorter result.
 */
function compress({ height, data }: Raster): Buffer {
  const stride = data.length / height;
  const [kept, up] = [0, 2].map((filter) => {
    const rows = Buffer.alloc(height * (stride + 1));
    for (let y = 0; y < height; y++) {
      rows[y * (stride + 1)] = filter;
      for (let i = 0; i < stride; i++) {
        const above = filter === 2 && y > 0 ? data[(y - 1) * stride + i]! : 0;
        rows[y * (stride + 1) + 1 + i] = data[y * stride + i]! - above; // modulo 256
      }
    }
    return deflateSync(rows, { level: 9 });
  }) as [Buffer, Buffer];
  return kept.length <= up.length ? kept : up;
}

/**
 * An animated PNG file (PNG specification, third edition, 4.9: acTL, fcTL, fdAT) of pictures of one size, lossless.
 * Programs that know only still pictures show the first frame.
 * @throws Error when there is no frame, or the frames or delays do not fit together.
 */
export function encodeApng(frames: Raster[], { delays, plays }: ApngOptions): Buffer {
  const [first] = frames;
  if (!first) throw new Error('An animation needs at least one frame, but the list is empty.');
  const { width, height, channels } = first;
  frames.forEach((frame, i) => {
    checkRaster(frame);
    if (frame.width !== width || frame.height !== height || frame.channels !== channels)
      throw new Error(
        `Frame ${i} is ${frame.width} x ${frame.height} with ${frame.channels} channel(s), but the first is ` +
          `${width} x ${height} with ${channels}: make all frames the same way, for example with imageGrid.`,
      );
  });
  const times = typeof delays === 'number' ? frames.map(() => delays) : delays;
  if (times.length !== frames.length || times.some((time) => !(time >= 0 && time <= 65535)))
    throw new Error(
      `delays needs ${frames.length} values from 0 to 65535 ms, one for each frame, or one for all.`,
    );
  if (!(Number.isInteger(plays) && plays >= 0 && plays < 2 ** 31))
    throw new RangeError(`plays must be a whole number >= 0, not ${plays}.`);

  const format = Uint8Array.of(8, channels === 1 ? 0 : 2, 0, 0, 0); // 8 bits; grey or RGB; the only methods there are
  const parts = [SIGNATURE, chunk('IHDR', [width, height], format), chunk('acTL', [frames.length, plays])];
  let sequence = 0;
  frames.forEach((frame, i) => {
    const time = Buffer.alloc(6); // and how it is drawn: over all that was there
    time.writeUInt16BE(Math.round(times[i]!), 0);
    time.writeUInt16BE(1000, 2);
    parts.push(chunk('fcTL', [sequence++, width, height, 0, 0], time));
    const rows = compress(frame);
    parts.push(i === 0 ? chunk('IDAT', [], rows) : chunk('fdAT', [sequence++], rows));
  });
  return Buffer.concat([...parts, chunk('IEND', [])]);
}
