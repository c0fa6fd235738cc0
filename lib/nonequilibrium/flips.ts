/**
 * The binomial diffusion process: a bit that forgets itself. In each step it is thrown anew with probability beta_t, and
 * is then 1 with probability `rate`. Everything in float64, entropies and divergences in bits.
 *
 * As everywhere, t = 0..T-1: after step t a bit still is the first one with probability `abar[t]`.
 */
import { assertStepCount } from '../diffusion/schedules';

/** Tables of a binomial diffusion process, each of length T. */
export interface FlipSchedule {
  readonly T: number;
  /** Share of 1 in the noise, inside (0, 1). */
  readonly rate: number;
  /** Probability that step t throws the bit anew; the last may be 1. */
  readonly betas: Float64Array;
  /** `(1 - betas[0]) ... (1 - betas[t])`. */
  readonly abar: Float64Array;
  /** `abar[t - 1]`, 1 at t = 0. */
  readonly abarPrev: Float64Array;
}

export interface FlipOptions {
  /** Number of steps, 2000 by default. */
  T?: number;
  /** Share of 1 in the noise at the end, 0.5 by default; the share in the data loses least. */
  rate?: number;
  /** One in (0, 1] for each step; by default `1 / (T - t)`, which destroys a share of `1 / T` in each step. */
  betas?: ArrayLike<number>;
}

/**
 * The schedule of a binomial diffusion; by default `betas[t] = 1 / (T - t)`, so that `abar[t] = (T - t - 1) / T` falls on
 * a straight line to exactly 0.
 *
 * @throws Error if T is no whole number of at least 1, rate lies outside (0, 1), or a beta outside (0, 1]
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.4.1: `beta_t = 1 / (T - t + 1)` with t = 1..T
 */
export function flipSchedule(options: FlipOptions = {}): FlipSchedule {
  const { T = options.betas?.length ?? 2000, rate = 0.5 } = options;
  assertStepCount(T);
  if (!(rate > 0 && rate < 1)) {
    throw new Error(`rate is ${rate}: noise must hold both bits; use a share between 0 and 1, such as 0.5.`);
  }
  const betas = Float64Array.from(options.betas ?? Array.from({ length: T }, (_, t) => 1 / (T - t)));
  if (betas.length !== T) {
    throw new Error(`T is ${T} and betas has ${betas.length} values: give one for each step.`);
  }
  const wrong = betas.findIndex((beta) => !(beta > 0 && beta <= 1));
  if (wrong >= 0) {
    throw new Error(`betas[${wrong}] is ${betas[wrong]}: a probability above 0, and at most 1, is needed.`);
  }
  const abar = new Float64Array(T);
  const abarPrev = new Float64Array(T);
  for (let t = 0, left = 1; t < T; t++) {
    abarPrev[t] = left;
    abar[t] = left *= 1 - betas[t];
  }
  return Object.freeze({ T, rate, betas, abar, abarPrev });
}

/** `q(x_t = 1 | x_{t-1}) = x_{t-1} (1 - beta_t) + rate beta_t`; xPrev may be a probability too. */
export function flipStep({ betas, rate }: FlipSchedule, xPrev: number, t: number): number {
  return xPrev * (1 - betas[t]) + rate * betas[t];
}

/** `q(x_t = 1 | x_0) = x_0 abar_t + rate (1 - abar_t)`; x0 may be a probability too. */
export function flipMarginal({ abar, rate }: FlipSchedule, x0: number, t: number): number {
  return x0 * abar[t] + rate * (1 - abar[t]);
}

/**
 * `q(x_{t-1} = 1 | x_t, x_0)` by Bayes' rule: `q(x_t | x_{t-1} = 1) q(x_{t-1} = 1 | x_0) / q(x_t | x_0)`, for bits xt and x0.
 */
export function flipPosterior(
  schedule: FlipSchedule,
  { x0, xt, t }: { x0: number; xt: number; t: number },
): number {
  const { abarPrev, rate } = schedule;
  const before = x0 * abarPrev[t] + rate * (1 - abarPrev[t]);
  const likelihood = (xPrev: number): number => {
    const one = flipStep(schedule, xPrev, t);
    return xt ? one : 1 - one;
  };
  const [zero, one] = [likelihood(0) * (1 - before), likelihood(1) * before];
  return one / (zero + one);
}

const minusPLogP = (p: number): number => (p > 0 ? -p * Math.log2(p) : 0);

/** The entropy of a bit that is 1 with probability p, in bits: `-p log2 p - (1 - p) log2 (1 - p)`. */
export function bitEntropy(p: number): number {
  return minusPLogP(p) + minusPLogP(1 - p);
}

/** `KL(q || p)` between two bits that are 1 with these probabilities, in bits; Infinity where p excludes what q allows. */
export function bitKl(q: number, p: number): number {
  const term = (a: number, b: number): number => (a > 0 ? a * Math.log2(a / b) : 0);
  return term(q, p) + term(1 - q, 1 - p);
}
