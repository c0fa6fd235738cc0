import { checkRaster } from '../io';
import type { Raster } from '../io';

export interface PreviewOptions {
  /** Characters of a line at most; larger pictures are averaged down. 80 by default. */
  columns?: number;
  /** 24-bit colour codes; without, a scale of ASCII characters. false by default. */
  color?: boolean;
}

type Color = [red: number, green: number, blue: number];

const ramp = ' .:-=+*#%@';

/** The mean colour of the pixels `[left, left + side) x [top, top + side)`, as far as they exist; else undefined. */
function mean(
  { width, height, channels, data }: Raster,
  left: number,
  top: number,
  side: number,
): Color | undefined {
  const right = Math.min(left + side, width);
  const bottom = Math.min(top + side, height);
  if (bottom <= top) return undefined;
  const sum: Color = [0, 0, 0];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++)
      for (let c = 0; c < 3; c++) sum[c] += data[(y * width + x) * channels + (channels === 3 ? c : 0)]!;
  const pixels = (right - left) * (bottom - top);
  return sum.map((value) => Math.round(value / pixels)) as Color;
}

/**
 * A picture as lines of text. A character is about twice as high as wide and so stands for two pixels, one above the
 * other: as the half block with two colours, or as one ASCII character from dark (space) to light (@).
 * @throws Error when the raster does not fit its numbers.
 */
export function previewRaster(raster: Raster, { columns = 80, color = false }: PreviewOptions = {}): string {
  checkRaster(raster);
  const side = Math.ceil(raster.width / Math.max(1, columns));
  const lines: string[] = [];
  for (let top = 0; top < raster.height; top += 2 * side) {
    let line = '';
    let last = '';
    for (let left = 0; left < raster.width; left += side) {
      const upper = mean(raster, left, top, side)!;
      const lower = mean(raster, left, top + side, side);
      if (color) {
        const code = `\x1b[38;2;${upper.join(';')}m${lower ? `\x1b[48;2;${lower.join(';')}m` : '\x1b[49m'}`;
        line += (code === last ? '' : code) + '▀';
        last = code;
      } else {
        const both = [...upper, ...(lower ?? upper)];
        const level = both.reduce((sum, value) => sum + value, 0) / both.length / 255;
        line += ramp[Math.round(level * (ramp.length - 1))];
      }
    }
    lines.push(color ? `${line}\x1b[0m` : line.trimEnd());
  }
  return lines.join('\n') + '\n';
}
