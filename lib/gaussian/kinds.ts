/** The kinds of Gaussians told apart, and turned into the one that holds all: a mean and a covariance. */
import { checkDiagonal, type DiagonalGaussian } from './diagonal';
import type { FullGaussian } from './full';
import { diagonalMatrix } from './matrix';
import type { Gaussian } from './scalar';
import { checkSizes } from './sizes';

/** A Gaussian in D dimensions: `variance` of each coordinate if they are independent, else a `covariance`. */
export type VectorGaussian = DiagonalGaussian | FullGaussian;

export const isScalar = (gaussian: Gaussian | VectorGaussian): gaussian is Gaussian =>
  typeof gaussian.mean === 'number';

/**
 * Any Gaussian in D dimensions with its covariance written out.
 *
 * @param name of the Gaussian in messages
 * @throws Error if sizes differ, or a variance is not above 0
 */
export function toFull(gaussian: VectorGaussian, name = 'gaussian'): FullGaussian {
  if ('covariance' in gaussian) {
    checkSizes(name, gaussian);
    return gaussian;
  }
  checkDiagonal(name, gaussian);
  return { mean: gaussian.mean, covariance: diagonalMatrix(gaussian.variance) };
}

/** Throws unless x has as many coordinates as the Gaussian. */
export function checkPoint(
  x: number | readonly number[],
  { mean }: VectorGaussian,
): asserts x is readonly number[] {
  if (typeof x === 'number' || x.length !== mean.length) {
    const size = typeof x === 'number' ? 'is one number' : `has ${x.length} coordinates`;
    throw new Error(`x ${size}, but the Gaussian has ${mean.length} coordinates: give that many.`);
  }
}
