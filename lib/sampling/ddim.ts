/**
 * Denoising diffusion implicit models, Song et al. 2020 (arXiv 2010.02502); notes: "Techniques for speeding up".
 *
 * A family of chains with the same marginals q(x_t | x_0) as DDPM's, and therefore the same trained network:
 *
 *     x_prev = sqrt(abarPrev) x0Hat + sqrt(1 - abarPrev - sigma^2) eps + sigma z
 *
 * `eta` scales sigma: 0 is deterministic (the noise x_T fixes the image), 1 is DDPM with the posterior variance.
 */
import { Schedule, assertStep, epsCoefficients } from '../diffusion';
import { chain } from './chain';
import { Sampler, SamplerOptions, assertSamplerOptions } from './sampler';

export interface DdimOptions extends SamplerOptions {
  /** Share of the posterior's standard deviation that is added as fresh noise, 0 (default) to 1. */
  eta?: number;
}

/**
 * The numbers in `x_prev = x0 x0Hat + eps epsHat + sigma z` at step t of a schedule (that of `respace` for a list):
 * `sigma = eta sqrt((1 - abarPrev) / (1 - abar) (1 - abar / abarPrev))`, eta times the posterior's standard deviation.
 *
 * At t = 0, where abarPrev is 1, they are `{ x0: 1, eps: 0, sigma: 0 }` for any eta: the result is x0Hat.
 *
 * @throws Error if t is no step of the schedule, or eta is not in [0, 1]
 * @see Song et al. 2020 (arXiv 2010.02502), eqs. 12 and 16
 */
export function ddimCoefficients(
  schedule: Schedule,
  t: number,
  eta: number,
): { x0: number; eps: number; sigma: number } {
  assertStep(schedule, t);
  assertEta(eta);
  const oneMinusAbarPrev = t === 0 ? 0 : schedule.oneMinusAbar[t - 1];
  const sigmaSquared = eta ** 2 * schedule.posteriorVariance[t];
  return {
    x0: Math.sqrt(schedule.abarPrev[t]),
    eps: Math.sqrt(Math.max(0, oneMinusAbarPrev - sigmaSquared)),
    sigma: Math.sqrt(sigmaSquared),
  };
}

/**
 * Samples by the steps above, along `timesteps` (all T of them by default; 20 to 50 are usually enough).
 *
 * With `clipDenoised` the noise is computed again from the clipped x0Hat, so that the two still make up x_t. Yields
 * once a step, after one call of the denoiser; what is said of `ddpm`'s tensors and random numbers holds here too.
 *
 * @throws Error (at the call) if an option is out of range, (in a step) if the denoiser returns another shape
 */
export const ddim: Sampler<DdimOptions> = (options) => {
  const { eta = 0 } = options;
  assertSamplerOptions(options);
  assertEta(eta);
  return chain(options, (schedule, i, clipped) => {
    const c = ddimCoefficients(schedule, i, eta);
    if (!clipped) return { x0Hat: c.x0, eps: c.eps, z: c.sigma };
    const again = epsCoefficients(schedule, i); // the noise between xt and the clipped x0Hat
    return { xt: c.eps * again.xt, x0Hat: c.x0 + c.eps * again.x0, z: c.sigma };
  });
};

function assertEta(eta: number): void {
  if (!(eta >= 0 && eta <= 1)) {
    throw new Error(`eta is ${eta}: choose a number from 0 (no fresh noise) to 1 (as much as DDPM).`);
  }
}
