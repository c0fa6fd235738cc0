/** What turns a squared error of the denoiser into the ELBO's term of that step, for each thing that it may predict. */
import { assertStep, posteriorCoefficients, type Schedule } from '../diffusion';

/** The decoder's variance at step t. */
function sigmaSquaredOf(schedule: Schedule, t: number, variance: 'beta' | 'posterior'): number {
  assertStep(schedule, t);
  const sigmaSquared = variance === 'posterior' ? schedule.posteriorVariance[t] : schedule.betas[t];
  if (sigmaSquared === 0) {
    throw new Error(
      "t is 0, where the posterior's variance is 0 and the term is the reconstruction: use 'beta'.",
    );
  }
  return sigmaSquared;
}

/**
 * What turns the squared error of the noise into the ELBO's term of step t, nats:
 * `KL = w_t E|eps - epsHat|^2` (+ a constant if sigma_t^2 is not the posterior's), with
 * `w_t = beta_t^2 / (2 sigma_t^2 alpha_t (1 - abar_t))`. L_simple puts 1 in its place.
 *
 * @throws Error if t is no step of the schedule, or the variance is 0 (the posterior's at t = 0: take 'beta')
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 12
 */
export function epsWeight(schedule: Schedule, t: number, variance: 'beta' | 'posterior' = 'beta'): number {
  const sigmaSquared = sigmaSquaredOf(schedule, t, variance);
  return schedule.betas[t] ** 2 / (2 * sigmaSquared * schedule.alphas[t] * schedule.oneMinusAbar[t]);
}

/**
 * The same term by the signal-to-noise ratio, for the posterior's variance: `KL = w_t |x_0 - x0Hat|^2` with
 * `w_t = (SNR_{t-1} - SNR_t) / 2`, nats. The sum over t depends on the schedule only by what it passes through.
 *
 * @param t 1..T-1: at 0, where SNR before is infinite, the term is the reconstruction
 * @throws Error if t is not one of these
 * @see Luo 2022 (arXiv 2208.11970), eq. 108; Kingma et al. 2021 (arXiv 2107.00630), eq. 13
 */
export function snrWeight({ snr, T }: Schedule, t: number): number {
  if (!(Number.isInteger(t) && t >= 1 && t < T)) {
    throw new Error(
      `t is ${t}: a schedule with T = ${T} has terms at 1..${T - 1}; at 0 is the reconstruction.`,
    );
  }
  return (snr[t - 1] - snr[t]) / 2;
}

/** One weight for each target: `KL = w |target - prediction|^2`, nats (+ a constant, as in `epsWeight`). */
export interface TargetWeights {
  x0: number;
  eps: number;
  v: number;
  score: number;
}

/**
 * The weights of the four targets at step t. They differ because the errors do: for one and the same x_t
 * `|eps - epsHat|^2 = SNR |x_0 - x0Hat|^2 = |v - vHat|^2 abar = |score - scoreHat|^2 (1 - abar)`.
 *
 * @throws Error if t is no step of the schedule, or the variance is 0 (the posterior's at t = 0: take 'beta')
 * @see Luo 2022 (arXiv 2208.11970), eqs. 99, 130 and 148
 */
export function targetWeights(
  schedule: Schedule,
  t: number,
  variance: 'beta' | 'posterior' = 'beta',
): TargetWeights {
  const sigmaSquared = sigmaSquaredOf(schedule, t, variance);
  const eps = epsWeight(schedule, t, variance);
  const { x0 } = posteriorCoefficients(schedule, t);
  return {
    x0: x0 ** 2 / (2 * sigmaSquared),
    eps,
    v: eps * schedule.abar[t],
    score: eps * schedule.oneMinusAbar[t],
  };
}
