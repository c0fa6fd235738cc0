/** A diffusion model in one dimension as the hierarchical VAE that it is (notes: "Variational Diffusion Models"). */
import { assertStep, epsMeanCoefficients, type Schedule } from '../diffusion';
import type { Gaussian } from '../gaussian';
import type { HierarchicalVae } from './hierarchical';

/** A denoiser that is a line in x_t: `epsHat = slope x_t + offset`, one for each t. */
export interface LinearEps {
  slope: number;
  offset: number;
}

/**
 * The best denoiser for data N(mean, variance): `E[eps | x_t]`, a line at every t.
 *
 * @throws Error if t is no step of the schedule
 */
export function optimalEps(schedule: Schedule, t: number, { mean, variance }: Gaussian): LinearEps {
  assertStep(schedule, t);
  const [abar, oneMinusAbar] = [schedule.abar[t], schedule.oneMinusAbar[t]];
  const slope = Math.sqrt(oneMinusAbar) / (abar * variance + oneMinusAbar);
  return { slope, offset: -slope * Math.sqrt(abar) * mean };
}

/**
 * The three restrictions applied: latents of the data's dimension, the fixed encoder
 * `q(x_t | x_{t-1}) = N(sqrt(alpha_t) x_{t-1}, beta_t)`, the prior N(0, 1); decoders with the mean that the denoiser
 * implies and variance beta_t or the posterior's (at t = 0, where that is 0, beta_0).
 *
 * @param denoiser one line for each t = 0..T-1
 * @throws Error if there is not one line for each step
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 1, 2 and 11
 */
export function diffusionVae(
  schedule: Schedule,
  denoiser: readonly LinearEps[],
  variance: 'beta' | 'posterior' = 'beta',
): HierarchicalVae {
  const { T, alphas, betas } = schedule;
  if (denoiser.length !== T) {
    throw new Error(
      `denoiser has ${denoiser.length} lines, but the schedule has ${T} steps: give one for each.`,
    );
  }
  return {
    prior: { mean: 0, variance: 1 },
    encoder: Array.from({ length: T }, (_, t) => ({
      scale: Math.sqrt(alphas[t]),
      offset: 0,
      variance: betas[t],
    })),
    decoder: denoiser.map(({ slope, offset }, t) => {
      const mean = epsMeanCoefficients(schedule, t);
      return {
        scale: mean.xt + mean.eps * slope,
        offset: mean.eps * offset,
        variance: variance === 'posterior' && t > 0 ? schedule.posteriorVariance[t] : betas[t],
      };
    }),
  };
}
