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
import { tf } from '../engine';
import { Schedule, epsMeanCoefficients, posteriorCoefficients, x0Coefficients } from '../diffusion';
import {
  Sampler,
  SamplerOptions,
  SamplingState,
  assertSamplerOptions,
  nextTurn,
  predictNoise,
} from './sampler';

/** `sigma_t^2`: `beta_t` (the notes' choice) or the posterior variance. */
export type ReverseVariance = 'beta' | 'posterior';

export interface DdpmOptions extends SamplerOptions {
  /**
   * Variance of the noise added in each step, 'beta' by default. Ho et al. found no difference: beta_t is right for
   * data that is itself N(0, I), the posterior variance for data that is a single point, all else lies between.
   */
  variance?: ReverseVariance;
  /**
   * Clip x0Hat to [-1, 1] and step towards the clipped image. False by default: the notes clamp only the final images.
   * Without clipping both forms of the mean are the same number; with it, errors of the denoiser cannot run away.
   */
  clipDenoised?: boolean;
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
 * Yields once a step, after exactly one call of the denoiser, and T times in all unless it is stopped. The yielded
 * tensors belong to the sampler and live until the next step is asked for: copy (`clone()`) what is to be kept. Leaving
 * the loop early frees everything. Image i depends on the seed and on `firstSample + i`, not on how many are made at
 * once. The final images are not clamped here; `sample` does that.
 *
 * @throws Error (at the call) if an option is out of range, (in a step) if the denoiser returns another shape
 * @see Ho et al. 2020 (arXiv 2006.11239), algorithm 2
 */
export const ddpm: Sampler<DdpmOptions> = (options) => {
  assertSamplerOptions(options);
  assertVariance(options.variance ?? 'beta');
  return ancestralChain(options);
};

async function* ancestralChain(options: DdpmOptions): AsyncGenerator<SamplingState, void, undefined> {
  const { schedule, shape, generator, firstSample = 0, stop } = options;
  const { T } = schedule;
  let xt = generator.fork('x_T').normal(shape, { firstSample });
  let x0Hat: tf.Tensor | undefined;
  try {
    for (let t = T - 1; t >= 0; t--) {
      await nextTurn();
      if (stop?.stopped) return;
      const after = tf.tidy(() => reverseStep(options, xt, t));
      tf.dispose([xt, x0Hat]);
      ({ xt, x0Hat } = after);
      yield { t, xt, x0Hat, nfe: T - t };
    }
  } finally {
    tf.dispose([xt, x0Hat]);
  }
}

function reverseStep(
  options: DdpmOptions,
  xt: tf.Tensor,
  t: number,
): { xt: tf.Tensor; x0Hat: tf.Tensor } {
  const { denoiser, schedule, shape, generator, firstSample = 0, variance = 'beta', clipDenoised } = options;
  const eps = predictNoise(denoiser, xt, t);
  const toX0 = x0Coefficients(schedule, t);
  const raw = xt.mul(toX0.xt).add(eps.mul(toX0.eps));
  const x0Hat = clipDenoised ? raw.clipByValue(-1, 1) : raw;

  let mean: tf.Tensor;
  if (clipDenoised) {
    const c = posteriorCoefficients(schedule, t);
    mean = x0Hat.mul(c.x0).add(xt.mul(c.xt));
  } else {
    const c = epsMeanCoefficients(schedule, t);
    mean = xt.mul(c.xt).add(eps.mul(c.eps));
  }
  const sigma = reverseSigma(schedule, t, variance);
  if (sigma > 0) {
    const z = generator.fork('z', t).normal(shape, { firstSample });
    mean = mean.add(z.mul(sigma));
  }
  return { xt: mean, x0Hat };
}

function assertVariance(variance: string): void {
  if (variance !== 'beta' && variance !== 'posterior') {
    throw new Error(`variance is '${variance}': choose 'beta' or 'posterior'.`);
  }
}
