import { encodeApng } from '../io';
import type { Raster } from '../io';
import { defaultSink } from './environment';
import { figureHtml, figureText } from './figure';
import type { FigureOptions } from './figure';
import { checkAlt, escapeHtml } from './html';
import { previewRaster } from './terminal';

export interface AnimationOptions extends FigureOptions {
  /** Frames a second; 10 by default. */
  fps?: number;
  /** How often it runs before it rests on the last frame; 3 by default. */
  plays?: number;
  /** Size that the file may have; 150,000 bytes by default. Where it needs more, its shades are made fewer. */
  maxBytes?: number;
}

/** Milliseconds for which the last frame, the result, is seen before the animation begins anew. */
const REST = 1500;
/** Shades of each channel, from all to the fewest with which a picture looks well. */
const SHADES = [256, 64, 32, 16];

function withShades(frame: Raster, shades: number): Raster {
  if (shades === 256) return frame;
  const step = 255 / (shades - 1);
  return { ...frame, data: frame.data.map((value) => Math.round(Math.round(value / step) * step)) };
}

/** The animation as a file that is small enough. */
function encodeWithin(
  frames: Raster[],
  { fps, plays, maxBytes }: { fps: number; plays: number; maxBytes: number },
): Buffer {
  const delays = frames.map((_, i) => (i < frames.length - 1 ? 1000 / fps : REST));
  let bytes = 0;
  for (const shades of SHADES) {
    const file = encodeApng(
      frames.map((frame) => withShades(frame, shades)),
      { delays, plays },
    );
    bytes = file.length;
    if (bytes <= maxBytes) return file;
  }
  throw new Error(
    `The animation has ${bytes.toLocaleString('en-US')} bytes with ${SHADES.at(-1)} shades, but may have ` +
      `${maxBytes.toLocaleString('en-US')}: show fewer frames or pictures, make them smaller, or raise maxBytes.`,
  );
}

/**
 * Shows pictures of one size one after the other. In a notebook as an animated PNG, which needs no script and so runs
 * everywhere; elsewhere the first, the middle and the last frame in characters.
 * @throws Error when `alt` is missing or empty, the frames differ in size, or the file would be too large.
 */
export function showAnimation(frames: Raster[], options: AnimationOptions): void {
  const { alt, caption, fps = 10, plays = 3, maxBytes = 150_000, sink = defaultSink() } = options;
  const text = checkAlt(alt);
  if (!(fps >= 0.1 && fps <= 60)) throw new RangeError(`fps must be a number from 0.1 to 60, not ${fps}.`);
  const file = encodeWithin(frames, { fps, plays, maxBytes });
  const { width, height } = frames[0]!;
  if (sink.kind === 'notebook') {
    const source = `data:image/png;base64,${file.toString('base64')}`;
    const image = `<img alt="${escapeHtml(text)}" width="${width}" height="${height}" src="${source}">`;
    sink.html(figureHtml(image, caption));
  } else {
    const shown = [...new Set([0, Math.floor((frames.length - 1) / 2), frames.length - 1])];
    const view = { columns: sink.columns, color: sink.kind === 'terminal' };
    const parts = shown.map((i) => `frame ${i + 1} of ${frames.length}\n${previewRaster(frames[i]!, view)}`);
    sink.write(figureText({ alt: text, caption }) + parts.join('\n'));
  }
}
