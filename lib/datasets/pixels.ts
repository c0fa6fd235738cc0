import { tf } from '../engine';

/** `x = byte / 127.5 - 1` for each byte, so that 0 is -1 and 255 is 1 exactly. */
const values = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);

/**
 * Bytes -> a float32 tensor of `shape`, by `x = byte / 127.5 - 1` (0 is -1, 255 is 1); the caller disposes it.
 * @throws RangeError when the number of bytes does not fit the shape.
 */
export function fromPixels(pixels: Uint8Array, shape: [number, number, number, number]): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  if (pixels.length !== size)
    throw new RangeError(
      `A tensor of shape [${shape.join(', ')}] needs ${size} pixels, but there are ${pixels.length}.`,
    );
  // An array of its own for each tensor: the engine may keep a reference to it instead of a copy.
  const data = new Float32Array(size);
  for (let i = 0; i < size; i++) data[i] = values[pixels[i]!]!;
  return tf.tensor4d(data, shape);
}

/**
 * A tensor in [-1, 1] -> bytes in the same order, by `round((clamp(x, -1, 1) + 1) * 127.5)`: the inverse of
 * `fromPixels` for all 256 levels. The tensor is not disposed.
 * @throws Error when a value is not a number: such a picture would silently be black.
 */
export function toPixels(x: tf.Tensor): Uint8Array {
  const data = x.dataSync();
  const pixels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isNaN(value))
      throw new Error(
        `Value ${i} of a tensor of shape [${x.shape.join(', ')}] is NaN, not a pixel: the training or sampling before diverged. ` +
          'Try a smaller learning rate, or look at the loss.',
      );
    pixels[i] = Math.round((Math.min(Math.max(value, -1), 1) + 1) * 127.5);
  }
  return pixels;
}
