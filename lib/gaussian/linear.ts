/** Gaussians whose mean is a line in something else, in one dimension: the steps of a chain, there and back. */
import type { FullGaussian } from './full';
import { checkGaussian, type Gaussian } from './scalar';

/** A Gaussian whose mean is a line in what it is conditioned on: `N(scale x + offset, variance)`. */
export interface LinearGaussian {
  scale: number;
  offset: number;
  variance: number;
}

/** The conditional at x: `N(scale x + offset, variance)`. */
export function conditionAt({ scale, offset, variance }: LinearGaussian, x: number): Gaussian {
  return { mean: scale * x + offset, variance };
}

/** The distribution of y when x ~ `given` and y | x ~ `conditional`. */
export function marginalise(given: Gaussian, { scale, offset, variance }: LinearGaussian): Gaussian {
  return { mean: scale * given.mean + offset, variance: scale ** 2 * given.variance + variance };
}

/**
 * The distribution of the pair (x, y) when x ~ `given` and y | x ~ `conditional`: a Gaussian in two dimensions, with
 * `cov(x, y) = scale var(x)`.
 *
 * @throws Error if a variance is not above 0
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eqs. 2.105 and 2.108
 */
export function jointWith(given: Gaussian, conditional: LinearGaussian): FullGaussian {
  checkGaussian('given', given);
  checkGaussian('conditional', conditional);
  const y = marginalise(given, conditional);
  const shared = conditional.scale * given.variance;
  return {
    mean: [given.mean, y.mean],
    covariance: [
      [given.variance, shared],
      [shared, y.variance],
    ],
  };
}

/**
 * Bayes' rule for Gaussians: from x ~ `prior` and y | x ~ `likelihood`, the conditional of x given y.
 *
 * @throws Error if a variance is not above 0
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eqs. 2.116 and 2.117
 */
export function reverseConditional(prior: Gaussian, likelihood: LinearGaussian): LinearGaussian {
  checkGaussian('prior', prior);
  checkGaussian('likelihood', likelihood);
  const { scale, offset } = likelihood;
  const y = marginalise(prior, likelihood);
  const gain = (scale * prior.variance) / y.variance;
  return {
    scale: gain,
    offset: prior.mean - gain * (scale * prior.mean + offset),
    variance: (prior.variance * likelihood.variance) / y.variance,
  };
}
