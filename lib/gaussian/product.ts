/** The product of two densities, which is what conditioning on two things at once comes down to. */
import { checkDiagonal, type DiagonalGaussian } from './diagonal';
import { cholesky, solveCholesky } from './cholesky';
import { isScalar, toFull, type VectorGaussian } from './kinds';
import type { FullGaussian } from './full';
import { dot } from './matrix';
import { logDensity } from './measures';
import { checkGaussian, type Gaussian } from './scalar';

/** `a(x) b(x) = exp(logScale) product(x)` at every x. */
export interface Product<G> {
  product: G;
  /** `ln of the integral of a(x) b(x)`, nats; it is `ln N(ma; mb, Sa + Sb)`. */
  logScale: number;
}

function scalarProduct(a: Gaussian, b: Gaussian): Product<Gaussian> {
  const variance = a.variance + b.variance;
  return {
    product: {
      mean: (a.mean * b.variance + b.mean * a.variance) / variance,
      variance: (a.variance * b.variance) / variance,
    },
    logScale: logDensity(a.mean, { mean: b.mean, variance }),
  };
}

function diagonalProduct(a: DiagonalGaussian, b: DiagonalGaussian): Product<DiagonalGaussian> {
  const axes = a.mean.map((mean, i) =>
    scalarProduct({ mean, variance: a.variance[i] }, { mean: b.mean[i], variance: b.variance[i] }),
  );
  return {
    product: {
      mean: axes.map(({ product }) => product.mean),
      variance: axes.map(({ product }) => product.variance),
    },
    logScale: axes.reduce((sum, { logScale }) => sum + logScale, 0),
  };
}

/** With `G = Sa (Sa + Sb)^-1`: mean `ma + G (mb - ma)` and covariance `Sa - G Sa`, so that no inverse is formed. */
function fullProduct(a: FullGaussian, b: FullGaussian): Product<FullGaussian> {
  [a, b].forEach(({ covariance }, i) => cholesky(covariance, `${'ab'[i]}.covariance`));
  const sum = a.covariance.map((row, i) => row.map((value, j) => value + b.covariance[i][j]));
  const lower = cholesky(sum, 'the sum of the covariances');
  // Row i of Sa is, as Sa is symmetric, its column i: so this is row i of G.
  const gain = a.covariance.map((row) => solveCholesky(lower, row));
  const apart = b.mean.map((value, i) => value - a.mean[i]);
  return {
    product: {
      mean: a.mean.map((value, i) => value + dot(gain[i], apart)),
      // Sa - G Sa = G Sb, whose entries do not cancel; made equal across the diagonal to the last digit.
      covariance: gain.map((row, i) =>
        gain.map((other, j) => 0.5 * (dot(row, b.covariance[j]) + dot(other, b.covariance[i]))),
      ),
    },
    logScale: logDensity(a.mean, { mean: b.mean, covariance: sum }),
  };
}

/**
 * The product of two Gaussian densities of x, a Gaussian again but for a number:
 * `N(x; ma, Sa) N(x; mb, Sb) = N(ma; mb, Sa + Sb) N(x; m, S)`, `S^-1 = Sa^-1 + Sb^-1`, `m = S (Sa^-1 ma + Sb^-1 mb)`.
 *
 * @throws Error if dimensions differ, a variance is not above 0, or a covariance not symmetric and positive definite
 * @see Petersen and Pedersen 2012, The Matrix Cookbook, section 8.1.8; this is how q(x_{t-1} | x_t, x_0) is derived
 */
export function productOf(a: Gaussian, b: Gaussian): Product<Gaussian>;
export function productOf(a: DiagonalGaussian, b: DiagonalGaussian): Product<DiagonalGaussian>;
export function productOf(a: VectorGaussian, b: VectorGaussian): Product<FullGaussian>;
export function productOf(
  a: Gaussian | VectorGaussian,
  b: Gaussian | VectorGaussian,
): Product<Gaussian | VectorGaussian> {
  if (isScalar(a) && isScalar(b)) {
    checkGaussian('a', a);
    checkGaussian('b', b);
    return scalarProduct(a, b);
  }
  if (isScalar(a) || isScalar(b) || a.mean.length !== b.mean.length) {
    throw new Error(
      `a has the mean [${a.mean}] and b the mean [${b.mean}]: multiply Gaussians of one dimension.`,
    );
  }
  if ('covariance' in a || 'covariance' in b) return fullProduct(toFull(a, 'a'), toFull(b, 'b'));
  checkDiagonal('a', a);
  checkDiagonal('b', b);
  return diagonalProduct(a, b);
}
