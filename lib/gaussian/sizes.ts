import type { Matrix } from './matrix';

/**
 * Throws unless a Gaussian has as many variances, or rows of its covariance, as coordinates.
 *
 * @param name of the Gaussian, for the message
 */
export function checkSizes(
  name: string,
  gaussian:
    | { mean: readonly number[]; variance: readonly number[] }
    | { mean: readonly number[]; covariance: Matrix },
): void {
  const { length } = gaussian.mean;
  const [what, count] =
    'covariance' in gaussian
      ? ['rows of a covariance', gaussian.covariance.length]
      : ['variances', gaussian.variance.length];
  if (length === 0 || length !== count) {
    throw new Error(
      `${name} has a mean of ${length} numbers and ${count} ${what}: give one of each for every coordinate.`,
    );
  }
}
