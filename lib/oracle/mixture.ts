/** Data of several modes: a mixture of Gaussians stays one under noise. */
import { checkMixture, type GaussianMixture } from '../datasets';
import type { Denoiser, Schedule } from '../diffusion';
import type { Matrix } from '../gaussian';
import { roundSpread, spreadOf, type Cloud } from './clouds';
import { checkPoint, fromClouds } from './fromClouds';
import type { Oracle } from './oracle';
import { logDensityOf } from './values';

/** A mixture of Gaussians of any shape, `p(x) = sum_k weights[k] N(x; means[k], covariances[k])`. */
export interface FullMixture {
  /** One share for each component; they add up to 1. */
  weights: number[];
  /** One point of any (but the same) dimension D for each component. */
  means: number[][];
  /** D rows of D numbers for each component, symmetric and positive semi-definite. */
  covariances: Matrix[];
}

/** @throws Error if the mixture is none */
function cloudsOf(mixture: GaussianMixture | FullMixture): Cloud[] {
  const { weights, means } = mixture;
  const isRound = 'std' in mixture;
  checkMixture({ weights, means, std: isRound ? mixture.std : 1 });
  if (isRound) {
    const spread = roundSpread(means[0].length, mixture.std ** 2);
    return means.map((mean, k) => ({ weight: weights[k], mean, spread }));
  }
  const { covariances } = mixture;
  if (covariances.length !== means.length) {
    throw new Error(
      `The mixture has ${means.length} means and ${covariances.length} covariances: ` +
        'give one of each for every component.',
    );
  }
  return means.map((mean, k) => ({
    weight: weights[k],
    mean,
    spread: spreadOf(`component ${k}`, { mean, covariance: covariances[k] }),
  }));
}

/**
 * The oracle of a mixture of Gaussians, round ones of one size (`std`) or each with its own covariance:
 * `q(x_t) = sum_k w_k N(x_t; sqrt(abar_t) mu_k, V_k)` with `V_k = abar_t S_k + (1 - abar_t) I`, and
 * `E[eps | x_t] = sqrt(1 - abar_t) sum_k r_k V_k^-1 (x_t - sqrt(abar_t) mu_k)`, `r_k` the posterior share of component k.
 *
 * @throws Error if weights, means and covariances do not make a mixture
 */
export function mixtureOracle(mixture: GaussianMixture | FullMixture): Oracle {
  return fromClouds(cloudsOf(mixture));
}

/** The denoiser of `mixtureOracle(mixture)`, with the errors of both. */
export function mixtureDenoiser(o: { mixture: GaussianMixture | FullMixture; schedule: Schedule }): Denoiser {
  return mixtureOracle(o.mixture).denoiser(o.schedule);
}

/**
 * `ln q(x_t)` of one point, nats; with the default `abar = 1` that of the data, `ln p(x_0)`.
 *
 * @param abar share of the signal's variance that is left, 0..1
 * @throws Error if the mixture is none, x has another dimension, or abar lies outside [0, 1]
 */
export function mixtureLogDensity(
  mixture: GaussianMixture | FullMixture,
  x: ArrayLike<number>,
  abar = 1,
): number {
  const clouds = cloudsOf(mixture);
  checkPoint('x', x, clouds[0].mean.length);
  if (!(abar >= 0 && abar <= 1)) throw new Error(`abar is ${abar}: it must lie between 0 and 1.`);
  return logDensityOf(clouds, { abar, oneMinusAbar: 1 - abar }, x);
}
