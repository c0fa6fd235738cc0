/**
 * Ancestral sampling: the chain of Ho et al. 2020 (arXiv 2006.11239), algorithm 2; notes: "Sampling".
 *
 * | here     | papers                                                              |
 * |----------|---------------------------------------------------------------------|
 * | `xt`     | `x_t` before a step, `x_{t-1}` after it                             |
 * | `eps`    | `eps_theta(x_t, t)`, what the denoiser predicts                     |
 * | `x0Hat`  | the x_0 that x_t and eps imply                                      |
 * | `sigma`  | standard deviation of the fresh noise z                             |
 */
import { Schedule, epsMeanCoefficients, posteriorCoefficients } from '../diffusion';
import { chain } from './chain';
import { Sampler, SamplerOptions, assertSamplerOptions } from './sampler';

/** `sigma_t^2`: `beta_t` (the notes' choice) or the posterior variance. */
export type ReverseVariance = 'beta' | 'posterior';

export interface DdpmOptions extends SamplerOptions {
  /**
   * Variance of the noise added in each step, 'beta' by default. Ho et al. found no difference: beta_t is right for
   * data that is itself N(0, I), the posterior variance for data that is a single point, all else lies between. With
   * few steps the difference is large.
   */
  variance?: ReverseVariance;
}

/**
 * Standard deviation of the noise that the reverse step t adds: `sqrt(beta_t)` or `sqrt(posteriorVariance_t)`, and 0
 * at t = 0, where the result is the image.
 *
 * @throws Error if variance is neither 'beta' nor 'posterior'
 * @see Ho et al. 2020 (arXiv 2006.11239), section 3.2
 */
export function reverseSigma(schedule: Schedule, t: number, variance: ReverseVariance): number {
  assertVariance(variance);
  const { variance: posterior } = posteriorCoefficients(schedule, t);
  if (t === 0) return 0;
  return Math.sqrt(variance === 'beta' ? schedule.betas[t] : posterior);
}

/**
 * Samples by undoing every step, t = T-1..0:
 * `x_{t-1} = (x_t - beta_t / sqrt(1 - abar_t) eps) / sqrt(alpha_t) + sigma_t z`, from `x_T ~ N(0, I)`.
 *
 * With `timesteps` it makes strides, and beta_t is that of the stride. Without clipping this and the posterior mean are
 * the same number; with it the step goes towards the clipped image.
 *
 * Yields once a step, after exactly one call of the denoiser, and T times in all unless it is stopped. The yielded
 * tensors belong to the sampler and live until the next step is asked for: copy (`clone()`) what is to be kept. Leaving
 * the loop early frees everything. Image i depends on the seed and on `firstSample + i`, not on how many are made at
 * once. The final images are not clamped here; `sample` does that.
 *
 * @throws Error (at the call) if an option is out of range, (in a step) if the denoiser returns another shape
 * @see Ho et al. 2020 (arXiv 2006.11239), algorithm 2
 */
export const ddpm: Sampler<DdpmOptions> = (options) => {
  const { variance = 'beta' } = options;
  assertSamplerOptions(options);
  assertVariance(variance);
  return chain(options, (schedule, i, clipped) => {
    const z = reverseSigma(schedule, i, variance);
    if (!clipped) return { ...epsMeanCoefficients(schedule, i), z };
    const c = posteriorCoefficients(schedule, i);
    return { xt: c.xt, x0Hat: c.x0, z };
  });
};

function assertVariance(variance: string): void {
  if (variance !== 'beta' && variance !== 'posterior') {
    throw new Error(`variance is '${variance}': choose 'beta' or 'posterior'.`);
  }
}
