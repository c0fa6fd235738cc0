/** The forward process q: noise added to images, in one step or in all of them at once. */
import { isRecording } from '../compile';
import { device, tf } from '../engine';
import { assertOneStepPerSample, assertSameShape, assertStepsWithin, assertTimesteps } from './checks';
import { Schedule, assertStep } from './schedules';

/** Weights of the image and of the noise in x_t; their squares add up to 1. */
export interface ForwardCoefficients {
  x0: number;
  eps: number;
}

/** The numbers in `x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps`, float64. */
export function forwardCoefficients(schedule: Schedule, t: number): ForwardCoefficients {
  assertStep(schedule, t);
  return { x0: Math.sqrt(schedule.abar[t]), eps: Math.sqrt(schedule.oneMinusAbar[t]) };
}

/**
 * Looks a float64 table up at each sample's own step and shapes the result to multiply a batch of the given rank:
 * `[B]` steps -> `[B, 1, ..., 1]` float32.
 *
 * The look-up is a plain 1-D gather on the device: no copy to the host, and gradients flow through what it multiplies.
 *
 * @param table one number for each step, usually a table of a schedule
 * @param t int32 `[B]`, each in 0..table.length-1
 * @returns a tensor that the caller owns
 * @throws Error if t is not int32 `[B]`, or outside the table (on the CPU and op by op; a GPU reads zeros there)
 */
export function gatherSchedule(table: ArrayLike<number>, t: tf.Tensor1D, rank: number): tf.Tensor {
  assertTimesteps(t);
  // Reading t back is free on the CPU; on a GPU it would wait for all that still runs, and a compiled function cannot.
  if (device().kind === 'cpu' && !isRecording()) assertStepsWithin(t, table.length);
  return tf.tidy(() => {
    const shape = [t.shape[0], ...new Array<number>(rank - 1).fill(1)];
    return tf.gather(tf.tensor1d(Float32Array.from(table)), t).reshape(shape);
  });
}

/**
 * Noises images in one go: `x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps`, each sample at its own step.
 *
 * @param o.x0 images `[B, ...]` in [-1, 1]
 * @param o.t int32 `[B]`, 0..T-1
 * @param o.eps standard normal noise, shaped as x0
 * @returns x_t, shaped as x0; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 4; notes: "Encoder transitions", "Forward"
 */
export function qSample<X extends tf.Tensor>(o: { schedule: Schedule; x0: X; t: tf.Tensor1D; eps: X }): X {
  assertSameShape('x0', o.x0, 'eps', o.eps);
  return combine(o.schedule, o.t, forwardCoefficients, { x0: o.x0, eps: o.eps });
}

/**
 * Adds the noise of one step: `x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps`.
 *
 * @param o.xPrev x_{t-1}, `[B, ...]` (x_0 itself for t = 0)
 * @param o.t int32 `[B]`, 0..T-1
 * @param o.eps standard normal noise, shaped as xPrev
 * @returns x_t, shaped as xPrev; the caller owns it
 * @throws Error if the shapes differ or t is not int32 `[B]`
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 2; notes: "Parameterizing Gaussian encoder"
 */
export function qStep<X extends tf.Tensor>(o: { schedule: Schedule; xPrev: X; t: tf.Tensor1D; eps: X }): X {
  assertSameShape('xPrev', o.xPrev, 'eps', o.eps);
  const coefficients = (schedule: Schedule, t: number) => ({
    xPrev: Math.sqrt(schedule.alphas[t]),
    eps: Math.sqrt(schedule.betas[t]),
  });
  return combine(o.schedule, o.t, coefficients, { xPrev: o.xPrev, eps: o.eps });
}

/**
 * The shape of nearly every formula of diffusion: `a_t x + b_t y`, with the two numbers looked up at each sample's t.
 *
 * @param coefficients gives `{ nameOfX: a_t, nameOfY: b_t }` for one t, in float64
 * @param tensors `{ nameOfX: x, nameOfY: y }`, both of one shape `[B, ...]`
 * @returns a tensor of that shape; the caller owns it
 */
export function combine<Name extends string, X extends tf.Tensor>(
  schedule: Schedule,
  t: tf.Tensor1D,
  coefficients: (schedule: Schedule, t: number) => Record<Name, number>,
  tensors: Record<Name, X>,
): X {
  const names = Object.keys(tensors) as Name[];
  for (const name of names) assertOneStepPerSample(t, name, tensors[name]);
  return tf.tidy(() => {
    const rows = Array.from({ length: schedule.T }, (_, step) => coefficients(schedule, step));
    const terms = names.map((name) => {
      const table = rows.map((row) => row[name]);
      return tensors[name].mul<X>(gatherSchedule(table, t, tensors[name].rank));
    });
    return terms.reduce((sum, term) => sum.add<X>(term));
  });
}
