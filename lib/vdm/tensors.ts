/** Levels of noise on tensors: weights of sample and noise, and what follows from them. */
import { tf } from '../engine';

/**
 * A network, or any function, that says which noise is in noisy samples, told the level of noise itself and not a step.
 *
 * @param zt noisy samples `[B, ...]`
 * @param gamma `-ln SNR` of each, `[B]`
 * @returns the predicted noise, shaped as zt; the caller owns it
 */
export type GammaDenoiser = (zt: tf.Tensor, gamma: tf.Tensor1D) => tf.Tensor;

/** One number for each sample, shaped to multiply a batch of the given rank: `[B]` to `[B, 1, ..., 1]`. */
export const perSample = (values: tf.Tensor, rank: number): tf.Tensor =>
  tf.reshape(values, [values.shape[0], ...new Array<number>(rank - 1).fill(1)]);

/** The sum over everything but the samples, `[B, ...]` to `[B]`. */
export const sumOfSample = (values: tf.Tensor): tf.Tensor1D =>
  tf.sum(tf.reshape(values, [values.shape[0], -1]), 1) as tf.Tensor1D;

/** `alpha = sqrt(sigmoid(-gamma))`, shaped to multiply a batch of the given rank. */
const alphas = (gamma: tf.Tensor, rank: number): tf.Tensor =>
  perSample(tf.sqrt(tf.sigmoid(tf.neg(gamma))), rank);
/** `sigma = sqrt(sigmoid(gamma))`, likewise. */
const sigmas = (gamma: tf.Tensor, rank: number): tf.Tensor => perSample(tf.sqrt(tf.sigmoid(gamma)), rank);

/** Throws unless gamma holds one level of noise for each sample of a batch. */
function assertLevels(name: string, batch: tf.Tensor, gamma: tf.Tensor): void {
  if (gamma.rank === 1 && gamma.dtype === 'float32' && gamma.shape[0] === batch.shape[0]) return;
  throw new Error(
    `gamma is ${gamma.dtype} of shape [${gamma.shape}] and ${name} has shape [${batch.shape}]: ` +
      'gamma must be float32 [B], one level of noise for each sample.',
  );
}

/** Throws unless two tensors have the same shape. */
export function assertAlike(nameA: string, a: tf.Tensor, nameB: string, b: tf.Tensor): void {
  if (String(a.shape) === String(b.shape)) return;
  throw new Error(`${nameA} has shape [${a.shape}] and ${nameB} has shape [${b.shape}]: they must be equal.`);
}

/**
 * Noises samples: `z = alpha x + sigma eps`, each at its own level; differentiable by gamma.
 *
 * @param o.x0 samples `[B, ...]`
 * @param o.gamma `-ln SNR` of each, `[B]`
 * @param o.eps standard normal noise, shaped as x0
 * @returns z, shaped as x0; the caller owns it
 * @throws Error if the shapes do not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), eq. 1
 */
export function noised(o: { x0: tf.Tensor; gamma: tf.Tensor; eps: tf.Tensor }): tf.Tensor {
  const { x0, gamma, eps } = o;
  assertAlike('x0', x0, 'eps', eps);
  assertLevels('x0', x0, gamma);
  return tf.tidy(() => tf.add(tf.mul(alphas(gamma, x0.rank), x0), tf.mul(sigmas(gamma, x0.rank), eps)));
}

/**
 * The sample that z and its noise imply: `x = (z - sigma eps) / alpha`; the inverse of `noised`.
 *
 * @returns x, shaped as zt and not clipped; the caller owns it
 * @throws Error if the shapes do not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), section "Noise prediction model and Fourier features"
 */
export function denoised(o: { zt: tf.Tensor; gamma: tf.Tensor; eps: tf.Tensor }): tf.Tensor {
  const { zt, gamma, eps } = o;
  assertAlike('zt', zt, 'eps', eps);
  assertLevels('zt', zt, gamma);
  return tf.tidy(() => tf.div(tf.sub(zt, tf.mul(sigmas(gamma, zt.rank), eps)), alphas(gamma, zt.rank)));
}
