/** Gaussians in one dimension: what every term of the ELBO of a diffusion model is made of. Everything in nats. */

/** `N(mean, variance)`. */
export interface Gaussian {
  mean: number;
  /** Above 0. */
  variance: number;
}

/** Throws unless the variance of each is a number above 0. */
export function checkGaussian(name: string, { variance }: { variance: number }): void {
  if (!(variance > 0 && variance < Infinity)) {
    throw new Error(`${name}.variance is ${variance}: a variance must be a number above 0.`);
  }
}

export function scalarLogDensity(x: number, { mean, variance }: Gaussian): number {
  return -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);
}

export function scalarEntropy({ variance }: Gaussian): number {
  return 0.5 * Math.log(2 * Math.PI * Math.E * variance);
}

export function scalarKl(q: Gaussian, p: Gaussian): number {
  const ratio = q.variance / p.variance;
  return 0.5 * (ratio - 1 - Math.log(ratio) + (q.mean - p.mean) ** 2 / p.variance);
}

export function scalarExpectedLogDensity(q: Gaussian, p: Gaussian): number {
  return scalarLogDensity(q.mean, p) - (0.5 * q.variance) / p.variance;
}
