/**
 * Noise schedules: how much of the image is left after t + 1 steps of noise.
 *
 * | here                          | notes and papers                                                             |
 * |-------------------------------|------------------------------------------------------------------------------|
 * | `betas[t]`, `alphas[t]`       | `beta_t`, `alpha_t = 1 - beta_t`                                             |
 * | `abar[t]`, `oneMinusAbar[t]`  | `alpha-bar_t = alpha_0 ... alpha_t` and `1 - alpha-bar_t`                    |
 * | `abarPrev[t]`                 | `alpha-bar_{t-1}`; 1 at t = 0, where nothing has been added yet              |
 * | `posteriorVariance[t]`        | `beta-tilde_t`, the variance of `q(x_{t-1} | x_t, x_0)`                      |
 * | `snr[t]`, `logSnr[t]`         | `alpha-bar_t / (1 - alpha-bar_t)`, signal to noise of Kingma et al. 2021; ln |
 *
 * t runs from 0 to T - 1 everywhere. The named families (linear, cosine, ...) are in `families.ts`. Left out: schedules
 * in continuous time, and betas of exactly 1.
 */

/** Tables of one noise schedule, float64, each of length `T` and indexed by t = 0..T-1. */
export interface Schedule {
  readonly name: string;
  readonly T: number;
  readonly betas: Float64Array;
  readonly alphas: Float64Array;
  readonly abar: Float64Array;
  readonly abarPrev: Float64Array;
  /** `1 - abar`, accumulated on its own so that it keeps all its digits where abar is close to 1. */
  readonly oneMinusAbar: Float64Array;
  readonly posteriorVariance: Float64Array;
  /** `log posteriorVariance`, with the entry of t = 1 also at t = 0, where the variance is 0 and its log infinite. */
  readonly posteriorLogVarianceClipped: Float64Array;
  readonly snr: Float64Array;
  /** `ln snr`. */
  readonly logSnr: Float64Array;
}

/** Below this, `1 / sqrt(abar)` comes close to the largest float32, and x_0 cannot be computed from x_t. */
const SMALLEST_ABAR = 1e-70;

/**
 * Builds every table from the betas: `abar[t] = prod_{s<=t} (1 - betas[s])`,
 * `posteriorVariance[t] = betas[t] (1 - abarPrev[t]) / (1 - abar[t])`.
 *
 * @param betas one value in (0, 1) per step; copied
 * @param name used in messages and checkpoints
 * @throws Error if there is no beta, one lies outside (0, 1), or abar underflows
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 2, 4 and 7; notes: "Parameterizing Gaussian encoder"
 */
export function scheduleFromBetas(betas: ArrayLike<number>, name = 'custom'): Schedule {
  const T = betas.length;
  assertStepCount(T);
  const schedule = {
    name,
    T,
    betas: Float64Array.from(betas),
    alphas: new Float64Array(T),
    abar: new Float64Array(T),
    abarPrev: new Float64Array(T),
    oneMinusAbar: new Float64Array(T),
    posteriorVariance: new Float64Array(T),
    posteriorLogVarianceClipped: new Float64Array(T),
    snr: new Float64Array(T),
    logSnr: new Float64Array(T),
  };
  let abarPrev = 1;
  let oneMinusAbarPrev = 0;
  for (let t = 0; t < T; t++) {
    const beta = schedule.betas[t];
    if (!(beta > 0 && beta < 1)) {
      throw new Error(`betas[${t}] is ${beta}: every beta must lie between 0 and 1, both excluded.`);
    }
    const alpha = 1 - beta;
    const abar = abarPrev * alpha;
    if (abar < SMALLEST_ABAR) {
      throw new Error(
        `abar[${t}] is ${abar}: nothing of the image is left, and x_0 = (x_t - ...) / sqrt(abar) would overflow. ` +
          'Use fewer steps or smaller betas.',
      );
    }
    const oneMinusAbar = oneMinusAbarPrev * alpha + beta;
    schedule.alphas[t] = alpha;
    schedule.abar[t] = abar;
    schedule.abarPrev[t] = abarPrev;
    schedule.oneMinusAbar[t] = oneMinusAbar;
    schedule.posteriorVariance[t] = (beta * oneMinusAbarPrev) / oneMinusAbar;
    schedule.snr[t] = abar / oneMinusAbar;
    schedule.logSnr[t] = Math.log(abar) - Math.log(oneMinusAbar);
    abarPrev = abar;
    oneMinusAbarPrev = oneMinusAbar;
  }
  // A schedule of a single step has no second entry to borrow; its beta is the only scale there is.
  const first = T > 1 ? schedule.posteriorVariance[1] : schedule.betas[0];
  schedule.posteriorVariance.forEach((variance, t) => {
    schedule.posteriorLogVarianceClipped[t] = Math.log(t === 0 ? first : variance);
  });
  return Object.freeze(schedule);
}

/** Throws unless t is one of the steps of the schedule: a float64 table answers `undefined` to any other. */
export function assertStep(schedule: Schedule, t: number): void {
  if (Number.isInteger(t) && t >= 0 && t < schedule.T) return;
  throw new Error(`t is ${t}: a schedule with T = ${schedule.T} has the steps 0..${schedule.T - 1}.`);
}

/** Throws unless T is a whole number of at least 1. */
export function assertStepCount(T: unknown): void {
  if (!Number.isInteger(T) || (T as number) < 1) {
    throw new Error(`T is ${String(T)}: the number of steps must be a whole number of at least 1.`);
  }
}
