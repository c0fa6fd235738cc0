/**
 * What all oracles are made of: a sum of Gaussian clouds, `p(x_0) = sum_k w_k N(x_0; mu_k, S_k)`, where a cloud without
 * spread is a point. Under noise each stays a cloud of the same axes,
 * `q(x_t) = sum_k w_k N(x_t; sqrt(abar_t) mu_k, abar_t S_k + (1 - abar_t) I)`.
 */
import { symmetricEigen, type DiagonalGaussian, type FullGaussian, type Matrix } from '../gaussian';
import { checkSizes } from '../gaussian/sizes';

export interface Cloud {
  weight: number;
  mean: readonly number[];
  /** The same object in several clouds says that they have it in common. */
  spread: Spread;
}

/** A covariance by its variances along its axes: those of `abar S + (1 - abar) I` follow without another solution. */
export interface Spread {
  /** At least 0. */
  variances: readonly number[];
  /** One unit vector a row; left out where they are the axes of the coordinates. */
  axes?: Matrix;
}

/** The same variance in all directions. */
export const roundSpread = (dims: number, variance: number): Spread => ({
  variances: new Array<number>(dims).fill(variance),
});

/**
 * The spread of a Gaussian that may be flat: along some axes, or all, its variance may be 0.
 *
 * @param name of the Gaussian, for messages
 * @throws Error if sizes differ, a variance is below 0, or a covariance not symmetric and positive semi-definite
 */
export function spreadOf(name: string, gaussian: DiagonalGaussian | FullGaussian): Spread {
  checkSizes(name, gaussian);
  if (!('covariance' in gaussian)) {
    gaussian.variance.forEach((value, i) => {
      if (!(value >= 0 && value < Infinity)) {
        throw new Error(`${name}.variance[${i}] is ${value}: a variance must be a number of at least 0.`);
      }
    });
    return { variances: gaussian.variance };
  }
  const { values, axes } = symmetricEigen(gaussian.covariance, `${name}.covariance`);
  const rounding = 1e-12 * Math.max(...values.map(Math.abs));
  const least = Math.min(...values);
  if (least < -rounding) {
    throw new Error(
      `${name}.covariance has the eigenvalue ${least.toPrecision(4)}: none may be below 0. ` +
        'Some combination of coordinates would have a negative variance: check its entries off the diagonal.',
    );
  }
  return { variances: values.map((value) => Math.max(value, 0)), axes };
}

/** A vector in the axes of a spread. */
export const along = ({ axes }: Spread, v: readonly number[]): readonly number[] =>
  axes ? axes.map((axis) => axis.reduce((sum, e, i) => sum + e * v[i], 0)) : v;

/** And back: the vector with these numbers along the axes. */
export const back = ({ axes }: Spread, v: readonly number[]): readonly number[] =>
  axes ? v.map((_, i) => axes.reduce((sum, axis, k) => sum + axis[i] * v[k], 0)) : v;
