import { toPixels } from '../datasets';
import type { tf } from '../engine';
import { checkRaster } from '../io';
import type { Raster } from '../io';

/** Pictures of one size as bytes, one after the other, NHWC. */
export interface PixelImages {
  pixels: Uint8Array;
  count: number;
  height: number;
  width: number;
  /** 1 by default. */
  channels?: 1 | 3;
}

export interface GridOptions {
  /** Pictures in a row; the smallest whole number not below `sqrt(n)` by default. */
  columns?: number;
  /** Each pixel becomes `scale x scale` pixels; 2 by default. */
  scale?: number;
  /** Pixels between the pictures and around them; 2 by default. */
  gap?: number;
  /** Grey level of the gaps and of places without a picture; 255 (white) by default. */
  background?: number;
}

function checkWhole(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!(Number.isInteger(value) && value >= min && value <= max))
    throw new RangeError(
      `${name} must be a whole number from ${min}${max < 1e9 ? ` to ${max}` : ''}, not ${value}.`,
    );
}

function toPixelImages(images: tf.Tensor | PixelImages): Required<PixelImages> {
  if (!('dataSync' in images)) return { channels: 1, ...images };
  if (images.rank !== 4)
    throw new Error(
      `Images must have the shape [count, height, width, channels], not [${images.shape.join(', ')}].`,
    );
  const [count, height, width, channels] = images.shape;
  return { pixels: toPixels(images), count, height, width, channels: channels as 1 | 3 };
}

/**
 * Lays pictures out in rows, from the top left, as one picture.
 * @param images bytes, or a tensor `[count, height, width, channels]` in [-1, 1], which is not disposed.
 * @throws Error when there is no picture or the numbers do not fit.
 */
export function imageGrid(images: tf.Tensor | PixelImages, options: GridOptions = {}): Raster {
  const { pixels, count, height, width, channels } = toPixelImages(images);
  checkRaster({ width, height: count * height, channels, data: pixels }); // one below the other they are a raster
  const { columns = Math.ceil(Math.sqrt(count)), scale = 2, gap = 2, background = 255 } = options;
  checkWhole('columns', columns, 1);
  checkWhole('scale', scale, 1, 64);
  checkWhole('gap', gap, 0, 1024);
  checkWhole('background', background, 0, 255);

  const across = Math.min(columns, count);
  const down = Math.ceil(count / across);
  const total = {
    width: gap + across * (width * scale + gap),
    height: gap + down * (height * scale + gap),
  };
  const data = new Uint8Array(total.width * total.height * channels).fill(background);
  for (let image = 0; image < count; image++) {
    const left = gap + (image % across) * (width * scale + gap);
    const top = gap + Math.floor(image / across) * (height * scale + gap);
    for (let y = 0; y < height * scale; y++) {
      const from = (image * height + Math.floor(y / scale)) * width;
      const to = (top + y) * total.width + left;
      for (let x = 0; x < width * scale; x++)
        for (let c = 0; c < channels; c++)
          data[(to + x) * channels + c] = pixels[(from + Math.floor(x / scale)) * channels + c]!;
    }
  }
  return { ...total, channels, data };
}
