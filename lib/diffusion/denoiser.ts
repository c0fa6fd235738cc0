import { tf } from '../engine';

/**
 * A network, or any function, that says which noise is in noisy images.
 *
 * @param xt noisy images `[B, 28, 28, 1]`
 * @param t int32 `[B]`, the step 0..T-1 of each
 * @returns the predicted noise, shaped as xt; the caller owns it
 */
export type Denoiser = (xt: tf.Tensor4D, t: tf.Tensor1D) => tf.Tensor4D;
