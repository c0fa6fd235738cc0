/**
 * Four ways to say the same thing: given x_t, each of x_0, eps, v and the score determines the others.
 *
 * | here    | meaning                                                                                         |
 * |---------|-------------------------------------------------------------------------------------------------|
 * | `x0`    | the image                                                                                       |
 * | `eps`   | the noise in `x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps`                                        |
 * | `v`     | `sqrt(abar) eps - sqrt(1 - abar) x_0`, the velocity of Salimans and Ho 2022 (arXiv 2202.00512)  |
 * | `score` | `grad log q(x_t | x_0) = -eps / sqrt(1 - abar)`; averaged over x_0 the gradient of log q(x_t)   |
 *
 * Each formula is a pair of float64 numbers for one t (`...Coefficients`) and a function on batches that looks the
 * numbers up at each sample's own t.
 */
import { tf } from '../engine';
import { assertSameShape } from './checks';
import { combine } from './forward';
import { Schedule, assertStep } from './schedules';

/** The numbers in `x_0 = (x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t)`. */
export function x0Coefficients(schedule: Schedule, t: number): { xt: number; eps: number } {
  assertStep(schedule, t);
  return {
    xt: 1 / Math.sqrt(schedule.abar[t]),
    eps: -Math.sqrt(schedule.oneMinusAbar[t] / schedule.abar[t]),
  };
}

/** The numbers in `eps = (x_t - sqrt(abar_t) x_0) / sqrt(1 - abar_t)`. */
export function epsCoefficients(schedule: Schedule, t: number): { xt: number; x0: number } {
  assertStep(schedule, t);
  return {
    xt: 1 / Math.sqrt(schedule.oneMinusAbar[t]),
    x0: -Math.sqrt(schedule.abar[t] / schedule.oneMinusAbar[t]),
  };
}

/** The numbers in `v = (eps - sqrt(1 - abar_t) x_t) / sqrt(abar_t)`. */
export function vFromEpsCoefficients(schedule: Schedule, t: number): { xt: number; eps: number } {
  assertStep(schedule, t);
  return {
    xt: -Math.sqrt(schedule.oneMinusAbar[t] / schedule.abar[t]),
    eps: 1 / Math.sqrt(schedule.abar[t]),
  };
}

/** The numbers in `eps = sqrt(1 - abar_t) x_t + sqrt(abar_t) v`; no division, so it holds its digits at every t. */
export function epsFromVCoefficients(schedule: Schedule, t: number): { xt: number; v: number } {
  assertStep(schedule, t);
  return { xt: Math.sqrt(schedule.oneMinusAbar[t]), v: Math.sqrt(schedule.abar[t]) };
}

/** The numbers in `x_0 = sqrt(abar_t) x_t - sqrt(1 - abar_t) v`. */
export function x0FromVCoefficients(schedule: Schedule, t: number): { xt: number; v: number } {
  assertStep(schedule, t);
  return { xt: Math.sqrt(schedule.abar[t]), v: -Math.sqrt(schedule.oneMinusAbar[t]) };
}

/** The number in `score = eps (-1 / sqrt(1 - abar_t))`. */
export function scoreCoefficient(schedule: Schedule, t: number): number {
  assertStep(schedule, t);
  return -1 / Math.sqrt(schedule.oneMinusAbar[t]);
}

/**
 * The numbers in Tweedie's formula `x_0 = (x_t + (1 - abar_t) score) / sqrt(abar_t)`: with the gradient of log q(x_t) as
 * score it gives E[x_0 | x_t], whatever the data are.
 *
 * @see Luo 2022 (arXiv 2208.11970), eqs. 131-133; Efron 2011, Tweedie's formula and selection bias
 */
export function x0FromScoreCoefficients(schedule: Schedule, t: number): { xt: number; score: number } {
  assertStep(schedule, t);
  const root = Math.sqrt(schedule.abar[t]);
  return { xt: 1 / root, score: schedule.oneMinusAbar[t] / root };
}

/** What all conversions share: the schedule, and the step of each sample (int32 `[B]`, 0..T-1). */
interface At {
  schedule: Schedule;
  t: tf.Tensor1D;
}

/**
 * The image that x_t and its noise imply: `x_0 = (x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t)`.
 *
 * @param o.xt noisy images `[B, ...]`
 * @param o.t int32 `[B]`, 0..T-1
 * @param o.eps noise (true or predicted), shaped as xt
 * @returns x_0, shaped as xt and not clipped; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 15
 */
export function predictX0<X extends tf.Tensor>(o: At & { xt: X; eps: X }): X {
  assertSameShape('xt', o.xt, 'eps', o.eps);
  return combine(o.schedule, o.t, x0Coefficients, { xt: o.xt, eps: o.eps });
}

/**
 * The noise that turned x_0 into x_t: `eps = (x_t - sqrt(abar_t) x_0) / sqrt(1 - abar_t)`.
 *
 * @param o.xt noisy images `[B, ...]`
 * @param o.t int32 `[B]`, 0..T-1
 * @param o.x0 images, shaped as xt
 * @returns eps, shaped as xt; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 */
export function predictEps<X extends tf.Tensor>(o: At & { xt: X; x0: X }): X {
  assertSameShape('xt', o.xt, 'x0', o.x0);
  return combine(o.schedule, o.t, epsCoefficients, { xt: o.xt, x0: o.x0 });
}

/** `v` from x_t and eps, shaped as they are; the caller owns it. @throws Error if the shapes differ. */
export function vFromEps<X extends tf.Tensor>(o: At & { xt: X; eps: X }): X {
  assertSameShape('xt', o.xt, 'eps', o.eps);
  return combine(o.schedule, o.t, vFromEpsCoefficients, { xt: o.xt, eps: o.eps });
}

/** `eps` from x_t and v, shaped as they are; the caller owns it. @throws Error if the shapes differ. */
export function epsFromV<X extends tf.Tensor>(o: At & { xt: X; v: X }): X {
  assertSameShape('xt', o.xt, 'v', o.v);
  return combine(o.schedule, o.t, epsFromVCoefficients, { xt: o.xt, v: o.v });
}

/** `x_0` from x_t and v, shaped as they are; the caller owns it. @throws Error if the shapes differ. */
export function x0FromV<X extends tf.Tensor>(o: At & { xt: X; v: X }): X {
  assertSameShape('xt', o.xt, 'v', o.v);
  return combine(o.schedule, o.t, x0FromVCoefficients, { xt: o.xt, v: o.v });
}

/** `score = -eps / sqrt(1 - abar_t)`, shaped as eps; the caller owns it. @throws Error if t does not fit. */
export function scoreFromEps<X extends tf.Tensor>(o: At & { eps: X }): X {
  const coefficients = (schedule: Schedule, t: number) => ({ eps: scoreCoefficient(schedule, t) });
  return combine(o.schedule, o.t, coefficients, { eps: o.eps });
}

/** `eps = -sqrt(1 - abar_t) score`, shaped as score; the caller owns it. @throws Error if t does not fit. */
export function epsFromScore<X extends tf.Tensor>(o: At & { score: X }): X {
  const coefficients = (schedule: Schedule, t: number) => ({ score: 1 / scoreCoefficient(schedule, t) });
  return combine(o.schedule, o.t, coefficients, { score: o.score });
}

/** `x_0 = (x_t + (1 - abar_t) score) / sqrt(abar_t)`, shaped as xt; the caller owns it. @throws Error if the shapes differ. */
export function x0FromScore<X extends tf.Tensor>(o: At & { xt: X; score: X }): X {
  assertSameShape('xt', o.xt, 'score', o.score);
  return combine(o.schedule, o.t, x0FromScoreCoefficients, { xt: o.xt, score: o.score });
}
