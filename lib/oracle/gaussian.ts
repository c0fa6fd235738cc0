/** Data of one Gaussian: the case in which every x_t is Gaussian and the best denoiser is linear. */
import type { DiagonalGaussian, FullGaussian, Gaussian } from '../gaussian';
import { spreadOf } from './clouds';
import { fromClouds } from './fromClouds';
import type { Oracle } from './oracle';

/**
 * The oracle of data N(mean, S): `q(x_t) = N(sqrt(abar_t) mean, abar_t S + (1 - abar_t) I)`, and
 * `E[x_0 | x_t] = mean + sqrt(abar_t) S V_t^-1 (x_t - sqrt(abar_t) mean)` with V_t that covariance.
 *
 * @param gaussian one number, independent coordinates, or any covariance; without variance it is a point
 * @throws Error if sizes differ, a variance is below 0, or a covariance not symmetric and positive semi-definite
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eqs. 2.115 and 2.116
 */
export function gaussianOracle(gaussian: Gaussian | DiagonalGaussian | FullGaussian): Oracle {
  const vector =
    typeof gaussian.mean === 'number'
      ? { mean: [gaussian.mean], variance: [(gaussian as Gaussian).variance] }
      : (gaussian as DiagonalGaussian | FullGaussian);
  return fromClouds([{ weight: 1, mean: vector.mean, spread: spreadOf('gaussian', vector) }]);
}
