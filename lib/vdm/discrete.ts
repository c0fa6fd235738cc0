/** Levels of noise as a table of steps: the way from here to everything else in the library. */
import { scheduleFromBetas, type Schedule } from '../diffusion';

/**
 * The schedule whose step t leads to `gammas[t]`: `beta_0 = sigmoid(gammas[0])`, and from s to t
 * `beta = sigmoid(gamma_t) (-expm1(gamma_s - gamma_t))`.
 *
 * With `gamma(0), gamma(1/T), ..., gamma(1)` it has T + 1 steps; the ancestral sampler of this folder makes all of them but
 * the last one back, from z_0 to a sample, which is the decoder's.
 *
 * @throws Error if there are no levels, or they do not rise
 * @see Kingma et al. 2021 (arXiv 2107.00630), appendix A
 */
export function scheduleFromGammas(gammas: readonly number[], name = 'levels'): Schedule {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const betas = gammas.map((gamma, t) => {
    if (!Number.isFinite(gamma) || (t > 0 && gamma <= gammas[t - 1])) {
      throw new Error(`gammas[${t}] is ${gamma}: levels of noise must be numbers that rise.`);
    }
    return t === 0 ? sigmoid(gamma) : -Math.expm1(gammas[t - 1] - gamma) * sigmoid(gamma);
  });
  return scheduleFromBetas(betas, name);
}
