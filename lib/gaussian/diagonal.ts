/** Gaussians in D dimensions whose coordinates are independent: sums over the axes of what holds in one dimension. */
import { checkGaussian, type Gaussian } from './scalar';
import { checkSizes } from './sizes';

/** `N(mean, diag(variance))`. */
export interface DiagonalGaussian {
  /** D numbers. */
  mean: readonly number[];
  /** D numbers above 0. */
  variance: readonly number[];
}

/** Throws unless there is one variance above 0 for each coordinate. */
export function checkDiagonal(name: string, { mean, variance }: DiagonalGaussian): void {
  checkSizes(name, { mean, variance });
  variance.forEach((value, i) => checkGaussian(`${name}[${i}]`, { variance: value }));
}

/** The sum of f over all coordinates. */
export function sumOverAxes(
  { mean, variance }: DiagonalGaussian,
  f: (axis: Gaussian, i: number) => number,
): number {
  return mean.reduce((sum, m, i) => sum + f({ mean: m, variance: variance[i] }, i), 0);
}

/** One coordinate as a Gaussian of its own. */
export const axisOf = ({ mean, variance }: DiagonalGaussian, i: number): Gaussian => ({
  mean: mean[i],
  variance: variance[i],
});
