/** The training objective L_simple of Ho et al. 2020 (arXiv 2006.11239), eq. 14: its loss and its random steps. */
import { Generator, tf } from '../engine';
import { assertSameShape } from './checks';

/**
 * Mean of `(eps - epsHat)^2` over all samples and pixels; 1 for a network that always predicts 0.
 *
 * @returns a scalar that the caller owns
 * @throws Error if the shapes differ
 */
export function noiseMse(eps: tf.Tensor, epsHat: tf.Tensor): tf.Scalar {
  assertSameShape('eps', eps, 'epsHat', epsHat);
  return tf.tidy(() => tf.squaredDifference(eps, epsHat).mean() as tf.Scalar);
}

/**
 * Draws the step of each training sample, uniform over 0..T-1.
 *
 * @returns int32 `[batchSize]`; the caller owns it
 * @throws Error if batchSize or T is not a whole number of at least 1
 */
export function sampleTimesteps(o: { generator: Generator; batchSize: number; T: number }): tf.Tensor1D {
  for (const [name, value] of [
    ['batchSize', o.batchSize],
    ['T', o.T],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`${name} is ${value}: it must be a whole number of at least 1.`);
    }
  }
  return o.generator.integers([o.batchSize], { min: 0, max: o.T }) as tf.Tensor1D;
}
