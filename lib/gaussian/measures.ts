/**
 * What the ELBO is made of, for Gaussians of every kind: one number (`mean`, `variance`), D independent coordinates
 * (lists `mean`, `variance`), or D coordinates with a `covariance`. Float64, in nats.
 */
import { axisOf, checkDiagonal, sumOverAxes } from './diagonal';
import { factored, fullEntropy, fullExpectedLogDensity, fullKl, fullLogDensity, type Factored } from './full';
import { checkPoint, isScalar, toFull, type VectorGaussian } from './kinds';
import {
  checkGaussian,
  scalarEntropy,
  scalarExpectedLogDensity,
  scalarKl,
  scalarLogDensity,
  type Gaussian,
} from './scalar';

/**
 * `ln N(x; mean, covariance) = -(D ln 2 pi + ln det covariance + (x - mean)^T covariance^-1 (x - mean)) / 2`, nats.
 *
 * @param x a number, or D numbers
 * @throws Error if sizes differ, a variance is not above 0, or a covariance not symmetric and positive definite
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eq. 2.43
 */
export function logDensity(x: number, gaussian: Gaussian): number;
export function logDensity(x: readonly number[], gaussian: VectorGaussian): number;
export function logDensity(x: number | readonly number[], gaussian: Gaussian | VectorGaussian): number {
  if (isScalar(gaussian)) {
    if (typeof x !== 'number')
      throw new Error('x is a list, but the Gaussian is of one number: give a number.');
    checkGaussian('gaussian', gaussian);
    return scalarLogDensity(x, gaussian);
  }
  checkPoint(x, gaussian);
  if ('covariance' in gaussian) return fullLogDensity(x, factored('gaussian', gaussian));
  checkDiagonal('gaussian', gaussian);
  return sumOverAxes(gaussian, (axis, i) => scalarLogDensity(x[i], axis));
}

/**
 * Differential entropy `(D ln(2 pi e) + ln det covariance) / 2`, nats; below 0 for narrow densities.
 *
 * @throws Error if sizes differ, a variance is not above 0, or a covariance not symmetric and positive definite
 * @see Cover and Thomas 2006, Elements of Information Theory, theorem 8.4.1
 */
export function entropy(gaussian: Gaussian | VectorGaussian): number {
  if (isScalar(gaussian)) {
    checkGaussian('gaussian', gaussian);
    return scalarEntropy(gaussian);
  }
  if ('covariance' in gaussian) return fullEntropy(factored('gaussian', gaussian));
  checkDiagonal('gaussian', gaussian);
  return sumOverAxes(gaussian, scalarEntropy);
}

/** A function of two Gaussians of one dimension, by what it is for each kind. */
function ofPair(
  q: Gaussian | VectorGaussian,
  p: Gaussian | VectorGaussian,
  scalar: (q: Gaussian, p: Gaussian) => number,
  full: (q: Factored, p: Factored) => number,
): number {
  if (isScalar(q) && isScalar(p)) {
    checkGaussian('q', q);
    checkGaussian('p', p);
    return scalar(q, p);
  }
  if (isScalar(q) || isScalar(p) || q.mean.length !== p.mean.length) {
    throw new Error(
      `q has ${isScalar(q) ? 'one number' : `${q.mean.length} coordinates`} and p has ` +
        `${isScalar(p) ? 'one number' : `${p.mean.length} coordinates`}: compare Gaussians of one dimension.`,
    );
  }
  if ('covariance' in q || 'covariance' in p)
    return full(factored('q', toFull(q, 'q')), factored('p', toFull(p, 'p')));
  checkDiagonal('q', q);
  checkDiagonal('p', p);
  return sumOverAxes(q, (axis, i) => scalar(axis, axisOf(p, i)));
}

/**
 * `KL(q || p) = (tr(Sp^-1 Sq) - D + ln(det Sp / det Sq) + (mq - mp)^T Sp^-1 (mq - mp)) / 2`, nats; with one number
 * `(ln(vp / vq) + (vq + (mq - mp)^2) / vp - 1) / 2`.
 *
 * @throws Error if dimensions differ, a variance is not above 0, or a covariance not symmetric and positive definite
 * @see Kingma and Welling 2013 (arXiv 1312.6114), appendix B, for p = N(0, I)
 */
export function klDivergence(q: Gaussian, p: Gaussian): number;
export function klDivergence(q: VectorGaussian, p: VectorGaussian): number;
export function klDivergence(q: Gaussian | VectorGaussian, p: Gaussian | VectorGaussian): number {
  return ofPair(q, p, scalarKl, fullKl);
}

/**
 * `E_q[ln p(x)] = ln p(mq) - tr(Sp^-1 Sq) / 2`, the negative cross entropy, nats.
 *
 * @throws Error if dimensions differ, a variance is not above 0, or a covariance not symmetric and positive definite
 */
export function expectedLogDensity(q: Gaussian, p: Gaussian): number;
export function expectedLogDensity(q: VectorGaussian, p: VectorGaussian): number;
export function expectedLogDensity(q: Gaussian | VectorGaussian, p: Gaussian | VectorGaussian): number {
  return ofPair(q, p, scalarExpectedLogDensity, fullExpectedLogDensity);
}
