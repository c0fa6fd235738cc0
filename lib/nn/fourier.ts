/** Values as waves, so that a network can tell grey levels apart that lie close together. */
import { tf } from '../engine';

/**
 * `[x, sin(2^n pi x) for each n, cos(2^n pi x) for each n]` along the last axis: `[..., C]` to
 * `[..., C (1 + 2 N)]` for N exponents; the caller owns the result.
 *
 * For `x` in [-1, 1] the wave of exponent n has 2^n periods: with n = 7 neighbouring ones of 256 grey levels look opposite,
 * with n = 8 it shows how far a value lies from the nearest level. Where the noise is far below a grey level, as at the
 * low-noise end of a likelihood model, the answer hangs on such differences.
 *
 * @throws when there is no exponent, or one is not a whole number from 0 to 16
 * @see Kingma et al. 2021 (arXiv 2107.00630), section 3.4 and the appendix, with x in [-1, 1]
 */
export function fourierFeatures(x: tf.Tensor, exponents: readonly number[]): tf.Tensor {
  checkExponents(exponents);
  return tf.tidy(() => {
    const angles = exponents.map((n) => tf.mul(x, 2 ** n * Math.PI));
    return tf.concat(
      [x, ...angles.map((angle) => tf.sin(angle)), ...angles.map((angle) => tf.cos(angle))],
      -1,
    );
  });
}

/** @throws when `fourierFeatures` could not take these exponents. */
export function checkExponents(exponents: readonly number[]): void {
  if (exponents.length > 0 && exponents.every((n) => Number.isSafeInteger(n) && n >= 0 && n <= 16)) return;
  throw new Error(
    `The exponents of the waves are [${exponents}]: give whole numbers from 0 to 16 (7 and 8 are usual).`,
  );
}
