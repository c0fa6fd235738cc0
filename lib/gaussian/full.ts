/** Gaussians in D dimensions with any covariance, through its Cholesky factor. */
import { cholesky, logDeterminant, solveLower } from './cholesky';
import { dot, type Matrix } from './matrix';
import { checkSizes } from './sizes';

/** `N(mean, covariance)`. */
export interface FullGaussian {
  /** D numbers. */
  mean: readonly number[];
  /** D rows of D numbers, symmetric and positive definite. */
  covariance: Matrix;
}

/** A Gaussian with the factor of its covariance. */
export interface Factored {
  mean: readonly number[];
  lower: Matrix;
}

/** @throws Error if sizes differ, or the covariance is not symmetric or not positive definite */
export function factored(name: string, gaussian: FullGaussian): Factored {
  checkSizes(name, gaussian);
  return { mean: gaussian.mean, lower: cholesky(gaussian.covariance, `${name}.covariance`) };
}

/** `(x - mean)^T covariance^-1 (x - mean)`. */
function squaredDistance(x: readonly number[], { mean, lower }: Factored): number {
  const y = solveLower(
    lower,
    mean.map((m, i) => x[i] - m),
  );
  return dot(y, y);
}

/** `trace(p.covariance^-1 q.covariance)`, the squared size of `Lp^-1 Lq`. */
function traceOfRatio(q: Factored, p: Factored): number {
  const columns = q.lower.map((_, j) => q.lower.map((row) => row[j]));
  return columns.reduce((sum, column) => {
    const y = solveLower(p.lower, column);
    return sum + dot(y, y);
  }, 0);
}

export function fullLogDensity(x: readonly number[], g: Factored): number {
  return -0.5 * (x.length * Math.log(2 * Math.PI) + logDeterminant(g.lower) + squaredDistance(x, g));
}

export function fullEntropy({ mean, lower }: Factored): number {
  return 0.5 * (mean.length * Math.log(2 * Math.PI * Math.E) + logDeterminant(lower));
}

export function fullKl(q: Factored, p: Factored): number {
  const logRatio = logDeterminant(q.lower) - logDeterminant(p.lower);
  return 0.5 * (traceOfRatio(q, p) - q.mean.length - logRatio + squaredDistance(q.mean, p));
}

export function fullExpectedLogDensity(q: Factored, p: Factored): number {
  return fullLogDensity(q.mean, p) - 0.5 * traceOfRatio(q, p);
}
