import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { encodeApng } from '../../lib/io';
import type { Raster } from '../../lib/io';
import { createGenerator } from '../../lib/engine';
import { showAnimation } from '../../lib/viz';
import { notebookSink, textSink } from '../helpers/sinks';

const frame = (channels: 1 | 3, ...data: number[]): Raster => ({
  width: 2,
  height: data.length / channels / 2,
  channels,
  data: Uint8Array.from(data),
});
const grey = [frame(1, 0, 50, 100, 255), frame(1, 1, 2, 3, 4), frame(1, 9, 9, 9, 9)];

interface Chunk {
  name: string;
  content: Buffer;
  sum: number;
}
function chunksOf(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const name = file.toString('latin1', at + 4, at + 8);
    const content = file.subarray(at + 8, at + 8 + length);
    chunks.push({ name, content, sum: file.readUInt32BE(at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** The rows of each frame: those of IDAT and of each fdAT, whose number stands before. */
const framesOf = (file: Buffer) =>
  chunksOf(file)
    .filter(({ name }) => name === 'IDAT' || name === 'fdAT')
    .map(({ name, content }) => inflateSync(name === 'fdAT' ? content.subarray(4) : content));

/** Undoes the filters 0 and 2 of PNG. */
function unfilter(rows: Buffer, { width, height, channels }: Raster): number[] {
  const stride = width * channels;
  const pixels: number[] = [];
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)]!;
    expect([0, 2]).toContain(filter);
    for (let i = 0; i < stride; i++) {
      const above = filter === 2 && y > 0 ? pixels[(y - 1) * stride + i]! : 0;
      pixels.push((rows[y * (stride + 1) + 1 + i]! + above) & 255);
    }
  }
  return pixels;
}

describe('an animated PNG', () => {
  const file = encodeApng(grey, { delays: [100, 250, 1500], plays: 3 });

  test('its parts, in order and numbered; their checksums hold', () => {
    const chunks = chunksOf(file);
    expect(chunks.map(({ name }) => name)).toEqual(
      ['IHDR', 'acTL', 'fcTL', 'IDAT', 'fcTL', 'fdAT', 'fcTL', 'fdAT', 'IEND'], // prettier-ignore
    );
    const numbers = chunks
      .filter(({ name }) => /^f/.test(name))
      .map(({ content }) => content.readUInt32BE(0));
    expect(numbers).toEqual([0, 1, 2, 3, 4]);
    const [, control] = chunks;
    expect([control!.content.readUInt32BE(0), control!.content.readUInt32BE(4)]).toEqual([3, 3]);
    const delays = chunks.filter(({ name }) => name === 'fcTL').map(({ content }) => content.readUInt16BE(20) / content.readUInt16BE(22)); // prettier-ignore
    expect(delays).toEqual([0.1, 0.25, 1.5]);
    // The decoder checks those of the chunks that it reads, and that the first frame is a picture of its own.
    expect(Array.from(PNG.sync.read(file).data.filter((_, i) => i % 4 === 0))).toEqual([0, 50, 100, 255]);
  });

  test('a checksum is that of the specification', () => {
    const { content, sum } = chunksOf(file).at(-1)!;
    expect([content.length, sum]).toEqual([0, 0xae426082]); // of IEND, the same in every PNG file
  });

  test('the very pixels of each frame, grey and in colours', () => {
    const color = [0, 1, 2].map((k) =>
      frame(3, ...Array.from({ length: 24 }, (_, i) => (37 * i * (k + 1)) & 255)),
    );
    for (const frames of [grey, color]) {
      const rows = framesOf(encodeApng(frames, { delays: 50, plays: 0 }));
      frames.forEach((one, i) => expect(unfilter(rows[i]!, one)).toEqual(Array.from(one.data)));
    }
  });

  test('frames and delays must fit', () => {
    const encode = (frames: Raster[], delays: number | number[] = 100, plays = 1) => () => encodeApng(frames, { delays, plays }); // prettier-ignore
    expect(encode([])).toThrow(/at least one frame/);
    expect(encode([grey[0]!, frame(1, 1, 2)])).toThrow(/Frame 1 is 2 x 1 .* the first is 2 x 2 .* imageGrid/);
    expect(encode([frame(1, 1, 2), frame(3, 1, 2, 3, 4, 5, 6)])).toThrow(/Frame 1 .* 3 channel/);
    expect(encode(grey, [1, 2])).toThrow(/delays needs 3 values/);
    expect(encode(grey, 1e6)).toThrow(/from 0 to 65535 ms/);
    expect(encode(grey, 1, -1)).toThrow(/plays must be a whole number >= 0, not -1/);
  });
});

describe('shown', () => {
  const source = (html: string) => Buffer.from(/base64,([^"]*)"/.exec(html)![1]!, 'base64');

  test('in a notebook: a picture without a script, which runs three times and rests on its last frame', () => {
    const { sink, html } = notebookSink();
    showAnimation(grey, { alt: 'Fades', caption: 'c', fps: 8, sink });
    expect(html[0]).toMatch(
      /^<figure role="group"><img alt="Fades" width="2" height="2" src="data:image\/png;/,
    );
    expect(html[0]).not.toContain('<script');
    const file = source(html[0]!);
    expect(Array.from(file)).toEqual(Array.from(encodeApng(grey, { delays: [125, 125, 1500], plays: 3 })));
  });

  test('noise has fewer shades when it would be too large, and is refused when that is not enough', () => {
    const noise = [0, 1].map((seed): Raster => {
      const values = createGenerator(seed)
        .fork('noise')
        .uniform([64 * 64]);
      const data = Uint8Array.from(values.dataSync(), (value) => 256 * value);
      values.dispose();
      return { width: 64, height: 64, channels: 1, data };
    });
    const shades = (maxBytes?: number) => {
      const { sink, html } = notebookSink();
      showAnimation(noise, { alt: 'Noise', maxBytes, sink });
      const file = source(html[0]!);
      expect(file.length).toBeLessThanOrEqual(maxBytes ?? 150_000);
      return new Set(unfilter(framesOf(file)[0]!, noise[0]!)).size;
    };
    expect([shades(), shades(7000), shades(6000)]).toEqual([256, 64, 32]);
    expect(() => shades(3000)).toThrow(/with 16 shades, but may have 3,000: show fewer frames/);
  });

  test('elsewhere: first, middle and last frame', () => {
    const { sink, text } = textSink();
    showAnimation([...grey, ...grey], { alt: 'Fades', sink });
    expect([...text.join('').matchAll(/frame \d of \d/g)].map(String)).toEqual(
      ['frame 1 of 6', 'frame 3 of 6', 'frame 6 of 6'], // prettier-ignore
    );
    const single = textSink();
    showAnimation([grey[0]!], { alt: 'Still', sink: single.sink });
    expect(single.text.join('').match(/frame/g)).toHaveLength(1);
    expect(() => showAnimation(grey, { alt: 'Fades', fps: 0, sink })).toThrow(
      /fps must be a number from 0.1 to 60, not 0/,
    );
  });
});
