/** Gaussians in one dimension: what every term of the ELBO of a diffusion model is made of. Everything in nats. */

/** `N(mean, variance)`. */
export interface Gaussian {
  mean: number;
  /** Above 0. */
  variance: number;
}

/** A Gaussian whose mean is a line in what it is conditioned on: `N(scale x + offset, variance)`. */
export interface LinearGaussian {
  scale: number;
  offset: number;
  variance: number;
}

/** Throws unless the variance of each is a number above 0. */
export function checkGaussian(name: string, { variance }: { variance: number }): void {
  if (!(variance > 0 && variance < Infinity)) {
    throw new Error(`${name}.variance is ${variance}: a variance must be a number above 0.`);
  }
}

/** `ln N(x; mean, variance)`, nats. @throws Error if the variance is not above 0 */
export function logDensity(x: number, gaussian: Gaussian): number {
  checkGaussian('gaussian', gaussian);
  const { mean, variance } = gaussian;
  return -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);
}

/** Differential entropy `ln(2 pi e variance) / 2`, nats. @throws Error if the variance is not above 0 */
export function entropy(gaussian: Gaussian): number {
  checkGaussian('gaussian', gaussian);
  return 0.5 * Math.log(2 * Math.PI * Math.E * gaussian.variance);
}

/**
 * `KL(q || p) = (ln(vp / vq) + (vq + (mq - mp)^2) / vp - 1) / 2`, nats.
 *
 * @throws Error if a variance is not above 0
 * @see Kingma and Welling 2013 (arXiv 1312.6114), appendix B, for p = N(0, 1)
 */
export function klDivergence(q: Gaussian, p: Gaussian): number {
  checkGaussian('q', q);
  checkGaussian('p', p);
  const ratio = q.variance / p.variance;
  return 0.5 * (ratio - 1 - Math.log(ratio) + (q.mean - p.mean) ** 2 / p.variance);
}

/** `E_q[ln p(x)]`, the negative cross entropy, nats. @throws Error if a variance is not above 0 */
export function expectedLogDensity(q: Gaussian, p: Gaussian): number {
  checkGaussian('q', q);
  return logDensity(q.mean, p) - (0.5 * q.variance) / p.variance;
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

/** Nats as bits. */
export function natsToBits(nats: number): number {
  return nats / Math.LN2;
}
