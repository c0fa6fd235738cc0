/** The training set itself as the distribution: what a network with no error at all would have learned. */
import { roundSpread } from './clouds';
import { fromClouds } from './fromClouds';
import type { Oracle } from './oracle';

/**
 * The oracle of a finite training set, each point as likely as any other:
 * `E[x_0 | x_t] = sum_i softmax_i(-|x_t - sqrt(abar_t) x_i|^2 / (2 (1 - abar_t))) x_i`.
 *
 * Sampling with it ends on training points: a perfect minimum of the training loss is a memory of the data.
 *
 * @param points `N` points of `D` numbers; a point that occurs twice counts twice
 * @throws Error if there is no point, or they differ in size, or hold what is no number
 * @see Karras et al. 2022 (arXiv 2206.00364), appendix B.3
 */
export function empiricalOracle(points: readonly ArrayLike<number>[]): Oracle {
  if (points.length === 0) throw new Error('points is empty: give at least one training point.');
  const dims = points[0].length;
  const spread = roundSpread(dims, 0);
  return fromClouds(
    points.map((point, i) => {
      const mean = Array.from(point);
      if (mean.length !== dims || dims === 0 || !mean.every(Number.isFinite)) {
        throw new Error(`points[${i}] is [${mean}]: every point must be ${dims || 'some'} finite numbers.`);
      }
      return { weight: 1 / points.length, mean, spread };
    }),
  );
}
