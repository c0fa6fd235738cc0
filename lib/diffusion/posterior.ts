/**
 * The way back: what x_t and the predicted noise say about x_0 and about x_{t-1}.
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

/**
 * The posterior `q(x_{t-1} | x_t, x_0) = N(a x_0 + b x_t, variance I)` as the three numbers `{ x0: a, xt: b, variance }`:
 * `a = sqrt(abarPrev) beta / (1 - abar)`, `b = sqrt(alpha) (1 - abarPrev) / (1 - abar)`.
 *
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 6 and 7
 */
export function posteriorCoefficients(
  schedule: Schedule,
  t: number,
): { x0: number; xt: number; variance: number } {
  assertStep(schedule, t);
  const oneMinusAbarPrev = t === 0 ? 0 : schedule.oneMinusAbar[t - 1];
  return {
    x0: (Math.sqrt(schedule.abarPrev[t]) * schedule.betas[t]) / schedule.oneMinusAbar[t],
    xt: (Math.sqrt(schedule.alphas[t]) * oneMinusAbarPrev) / schedule.oneMinusAbar[t],
    variance: schedule.posteriorVariance[t],
  };
}

/**
 * The same mean, written with the noise instead of the image:
 * `(x_t - beta_t / sqrt(1 - abar_t) eps) / sqrt(alpha_t)`, the update that the notes code.
 *
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 11; notes: "Sampling"
 */
export function epsMeanCoefficients(schedule: Schedule, t: number): { xt: number; eps: number } {
  assertStep(schedule, t);
  const xt = 1 / Math.sqrt(schedule.alphas[t]);
  return { xt, eps: (-xt * schedule.betas[t]) / Math.sqrt(schedule.oneMinusAbar[t]) };
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
export function predictX0<X extends tf.Tensor>(o: { schedule: Schedule; xt: X; t: tf.Tensor1D; eps: X }): X {
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
export function predictEps<X extends tf.Tensor>(o: { schedule: Schedule; xt: X; t: tf.Tensor1D; x0: X }): X {
  assertSameShape('xt', o.xt, 'x0', o.x0);
  return combine(o.schedule, o.t, epsCoefficients, { xt: o.xt, x0: o.x0 });
}

/**
 * The mean of `q(x_{t-1} | x_t, x_0)`; its variance is `schedule.posteriorVariance[t]`.
 *
 * @param o.x0 images `[B, ...]`
 * @param o.xt noisy images, shaped as x0
 * @param o.t int32 `[B]`, 0..T-1
 * @returns the mean of x_{t-1}, shaped as x0; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 7
 */
export function posteriorMean<X extends tf.Tensor>(o: {
  schedule: Schedule;
  x0: X;
  xt: X;
  t: tf.Tensor1D;
}): X {
  assertSameShape('x0', o.x0, 'xt', o.xt);
  return combine<'x0' | 'xt', X>(o.schedule, o.t, posteriorCoefficients, { x0: o.x0, xt: o.xt });
}
