/** The step t as a vector that a network can read. */
import { tf } from '../engine';

/**
 * Sinusoidal embedding of integer steps: `[sin(t w_i), cos(t w_i)]` with `w_i = maxPeriod^(-i / (dim / 2))`.
 *
 * Shapes: `t [B]` int32 (0..T-1, not t/T: between 0 and 1 neighbouring steps would look alike) to `[B, dim]`; the caller
 * owns the result. Source: Vaswani et al. 2017 (arXiv 1706.03762, section 3.5); Ho et al. 2020, appendix B.
 *
 * @throws when `dim` is odd or `t` is not int32.
 */
export function timeEmbedding(t: tf.Tensor1D, dim: number, maxPeriod = 10000): tf.Tensor2D {
  if (dim % 2 !== 0 || dim < 2)
    throw new Error(`dim = ${dim}: the time embedding needs an even number of at least 2.`);
  if (t.dtype !== 'int32') {
    throw new Error(`t has dtype ${t.dtype}: pass the integer step 0..T-1 as int32, not a fraction t/T.`);
  }
  return tf.tidy(() => {
    const half = dim / 2;
    const frequencies = Float32Array.from({ length: half }, (_, i) => maxPeriod ** (-i / half));
    const angles = tf.mul(tf.reshape(tf.cast(t, 'float32'), [-1, 1]), tf.tensor2d(frequencies, [1, half]));
    return tf.concat([tf.sin(angles), tf.cos(angles)], 1) as tf.Tensor2D;
  });
}
