/**
 * The way back: what x_t and x_0 (or the noise between them) say about x_{t-1}.
 *
 * Each formula is a pair of float64 numbers for one t (`...Coefficients`) and a function on batches that looks the
 * numbers up at each sample's own t.
 */
import { tf } from '../engine';
import { assertSameShape } from './checks';
import { combine } from './forward';
import { Schedule, assertStep } from './schedules';

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

/**
 * A draw from `q(x_{t-1} | x_t, x_0)`: `posteriorMean + sqrt(posteriorVariance_t) z`. At t = 0 the variance is 0 and
 * the result is x_0.
 *
 * @param o.x0 images `[B, ...]`
 * @param o.xt noisy images, shaped as x0
 * @param o.t int32 `[B]`, 0..T-1
 * @param o.z standard normal noise, shaped as x0
 * @returns x_{t-1}, shaped as x0; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 6
 */
export function posteriorSample<X extends tf.Tensor>(o: {
  schedule: Schedule;
  x0: X;
  xt: X;
  t: tf.Tensor1D;
  z: X;
}): X {
  assertSameShape('x0', o.x0, 'xt', o.xt);
  assertSameShape('x0', o.x0, 'z', o.z);
  const coefficients = (schedule: Schedule, t: number) => {
    const { x0, xt, variance } = posteriorCoefficients(schedule, t);
    return { x0, xt, z: Math.sqrt(variance) };
  };
  return combine(o.schedule, o.t, coefficients, { x0: o.x0, xt: o.xt, z: o.z });
}
