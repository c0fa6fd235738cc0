import { tf } from '../engine';

/**
 * A network, or any function, that says which noise is in noisy samples.
 *
 * @param xt noisy samples `[B, ...]`: images `[B, H, W, C]`, or points `[B, D]`
 * @param t int32 `[B]`, the step 0..T-1 of each
 * @returns the predicted noise, shaped as xt; the caller owns it
 */
export type Denoiser = (xt: tf.Tensor, t: tf.Tensor1D) => tf.Tensor;
