/** The named schedules: each makes its betas and hands them to `scheduleFromBetas`. */
import { assertStepCount, scheduleFromBetas, type Schedule } from './schedules';

export interface RampOptions {
  /** Number of steps, 1000 by default. */
  T?: number;
  /** First beta, 1e-4 by default. */
  betaStart?: number;
  /** Last beta, 0.02 by default. */
  betaEnd?: number;
}

export interface LinearOptions extends RampOptions {
  /**
   * Multiply all betas by 1000 / T, so that as much noise is added in T steps as the same ends add in 1000; false by
   * default.
   */
  rescale?: boolean;
}

/**
 * Linear schedule: `betas[t]` runs in equal steps from `betaStart` to `betaEnd`.
 *
 * The defaults are those of Ho et al. for T = 1000. Without `rescale` the end values do not adapt to T: with the
 * T = 300 of the notes 4.8 % of the signal's variance is left at the end (see `signalLeft`).
 *
 * @throws Error if T is not a whole number of at least 1, or a beta lies outside (0, 1)
 * @see Ho et al. 2020 (arXiv 2006.11239), section 4; the scaling: Nichol and Dhariwal 2021 (arXiv 2102.09672); notes:
 *   "Hyperparameters"
 */
export function linearSchedule(options: LinearOptions = {}): Schedule {
  const { T = 1000, betaStart = 1e-4, betaEnd = 0.02, rescale = false } = options;
  assertStepCount(T);
  const scale = rescale ? 1000 / T : 1;
  if (rescale && Math.max(betaStart, betaEnd) * scale >= 1) {
    throw new Error(
      `betaEnd is ${Math.max(betaStart, betaEnd)}: scaled by 1000 / T it would be ${Math.max(betaStart, betaEnd) * scale}, and every beta must be below 1. Use T above ${Math.floor(1000 * Math.max(betaStart, betaEnd))}, or rescale: false.`,
    );
  }
  return scheduleFromBetas(
    ramp(T, (share) => scale * (betaStart + share * (betaEnd - betaStart))),
    'linear',
  );
}

/**
 * Quadratic schedule: the square roots of the betas run in equal steps, `sqrt(betas[t])` from `sqrt(betaStart)` to
 * `sqrt(betaEnd)`; gentler at first than the linear one. Latent diffusion models call it "scaled linear".
 *
 * @throws Error if T is not a whole number of at least 1, or an end value lies outside (0, 1)
 * @see Ho et al. 2020, their code's option "quad"; Rombach et al. 2022 (arXiv 2112.10752)
 */
export function quadraticSchedule(options: RampOptions = {}): Schedule {
  const { T = 1000, betaStart = 1e-4, betaEnd = 0.02 } = options;
  assertStepCount(T);
  const [from, to] = [Math.sqrt(betaStart), Math.sqrt(betaEnd)];
  return scheduleFromBetas(
    ramp(T, (share) => (from + share * (to - from)) ** 2),
    'quadratic',
  );
}

/**
 * Sigmoid schedule: `betas[t] = betaStart + (betaEnd - betaStart) s(u)` with `s` the logistic function and u in equal
 * steps from -6 to 6; flat at both ends, steep in the middle.
 *
 * @throws Error if T is not a whole number of at least 1, or a beta lies outside (0, 1)
 * @see Xu et al. 2022, GeoDiff (arXiv 2203.02923), their schedule of betas
 */
export function sigmoidSchedule(options: RampOptions = {}): Schedule {
  const { T = 1000, betaStart = 1e-4, betaEnd = 0.02 } = options;
  assertStepCount(T);
  const logistic = (u: number) => 1 / (1 + Math.exp(-u));
  return scheduleFromBetas(
    ramp(T, (share) => betaStart + (betaEnd - betaStart) * logistic(12 * share - 6)),
    'sigmoid',
  );
}

/**
 * Constant schedule: every beta is `beta`, so `abar[t] = (1 - beta)^(t + 1)`. The default, for T = 1000, ends at
 * abar = 4.3e-5, as the linear schedule does.
 *
 * @throws Error if T is not a whole number of at least 1, or beta lies outside (0, 1)
 */
export function constantSchedule(options: { T?: number; beta?: number } = {}): Schedule {
  const { T = 1000, beta = 0.01 } = options;
  assertStepCount(T);
  return scheduleFromBetas(new Float64Array(T).fill(beta), 'constant');
}

/**
 * Cosine schedule: `abar[t] = f(t + 1) / f(0)` with `f(i) = cos^2(pi/2 (i/T + s) / (1 + s))`, each beta cut at
 * `maxBeta`.
 *
 * Without the cut the last beta is 1 and abar ends at 0. With it, x_0 still follows from x_t through a factor
 * `1 / sqrt(abar)` of 20,291 at the last step of T = 1000: clip x0Hat when sampling with this schedule.
 *
 * @throws Error if T is not a whole number of at least 1, s is negative, or maxBeta lies outside (0, 1)
 * @see Nichol and Dhariwal 2021 (arXiv 2102.09672), eq. 17
 */
export function cosineSchedule(options: { T?: number; s?: number; maxBeta?: number } = {}): Schedule {
  const { T = 1000, s = 0.008, maxBeta = 0.999 } = options;
  assertStepCount(T);
  if (!(s >= 0 && Number.isFinite(s)))
    throw new Error(`s is ${s}: the offset must be 0 or more (0.008 is usual).`);
  if (!(maxBeta > 0 && maxBeta < 1)) {
    throw new Error(`maxBeta is ${maxBeta}: it must lie between 0 and 1, both excluded (0.999 is usual).`);
  }
  const f = (i: number) => Math.cos(((i / T + s) / (1 + s)) * (Math.PI / 2)) ** 2;
  return scheduleFromBetas(
    Array.from({ length: T }, (_, t) => Math.min(1 - f(t + 1) / f(t), maxBeta)),
    'cosine',
  );
}

/**
 * Log-SNR schedule: `log(abar[t] / (1 - abar[t]))` runs in equal steps from `logSnrStart` to `logSnrEnd`.
 *
 * The defaults are the ends at which variational diffusion models begin: after the first step the noise's standard
 * deviation is 0.0013, a third of half a grey level, so that hardly a bit is lost in telling the levels apart. In this
 * schedule every step weighs the same in the bound: the plain mean squared error of the noise *is* the likelihood's loss,
 * up to a factor (2107.00630, eq. 18).
 *
 * @throws Error if T is not a whole number of at least 2, or the ends are not finite and falling
 * @see Kingma et al. 2021 (arXiv 2107.00630), section 3.2 and appendix D: gamma = -log SNR from -13.3 to 5
 */
export function logSnrSchedule(
  options: { T?: number; logSnrStart?: number; logSnrEnd?: number } = {},
): Schedule {
  const { T = 1000, logSnrStart = 13.3, logSnrEnd = -5 } = options;
  assertStepCount(T);
  if (T < 2) throw new Error(`T is ${T}: a schedule between two ends needs at least 2 steps.`);
  if (!(Number.isFinite(logSnrStart) && Number.isFinite(logSnrEnd) && logSnrStart > logSnrEnd)) {
    throw new Error(
      `logSnrStart is ${logSnrStart} and logSnrEnd ${logSnrEnd}: the signal must fall, from 13.3 to -5 for example.`,
    );
  }
  const noise = ramp(T, (share) => 1 / (1 + Math.exp(logSnrStart + share * (logSnrEnd - logSnrStart))));
  // beta_t = 1 - abar_t / abar_{t-1}, written without the difference of two numbers near 1.
  return scheduleFromBetas(
    noise.map((share, t) => (t === 0 ? share : (share - noise[t - 1]) / (1 - noise[t - 1]))),
    'logSnr',
  );
}

/**
 * The schedule that destroys a constant share of the signal's variance in each step: `betas[t] = 1 / (T + 1 - t)`, so that
 * `abar[t] = (T - t) / (T + 1)` falls on a straight line.
 *
 * The 2015 paper writes `beta_t = 1 / (T - t + 1)`, t = 1..T, which ends with a beta of 1 and nothing left; here the same
 * line has one step more, the last of which is not made: `1 / (T + 1)` of the variance stays.
 *
 * @throws Error if T is not a whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.4.1
 */
export function constantShareSchedule(options: { T?: number } = {}): Schedule {
  const { T = 1000 } = options;
  assertStepCount(T);
  return scheduleFromBetas(
    Array.from({ length: T }, (_, t) => 1 / (T + 1 - t)),
    'constantShare',
  );
}

/** The values of `beta` at T equally spaced shares 0..1; a single step takes the first. */
function ramp(T: number, beta: (share: number) => number): Float64Array {
  return Float64Array.from({ length: T }, (_, t) => beta(T > 1 ? t / (T - 1) : 0));
}
