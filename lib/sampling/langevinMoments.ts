/** What Langevin dynamics with steps of finite size does to a Gaussian, in closed form: one axis at a time. */
import { marginalise, type Gaussian } from '../gaussian';

function checkStepSize(target: Gaussian, stepSize: number): void {
  if (!(target.variance > 0 && target.variance < Infinity)) {
    throw new Error(`target.variance is ${target.variance}: it must be a number above 0.`);
  }
  if (!(stepSize > 0 && stepSize < 4 * target.variance)) {
    throw new Error(
      `stepSize is ${stepSize}: for a variance of ${target.variance} it must lie between 0 and ` +
        `${4 * target.variance}, else every step overshoots by more than it corrects.`,
    );
  }
}

/**
 * The distribution after each step, `[after 0 steps, ..., after steps]`: a step is
 * `x <- (1 - delta / (2 v)) x + delta m / (2 v) + sqrt(delta) z` for the target N(m, v).
 *
 * @param o.start the distribution to begin with; the variance may be 0
 * @throws Error if the variance is not above 0, or the steps so large that the chain runs away
 */
export function langevinMoments(o: {
  start: Gaussian;
  target: Gaussian;
  stepSize: number;
  steps: number;
}): Gaussian[] {
  checkStepSize(o.target, o.stepSize);
  const pull = o.stepSize / (2 * o.target.variance);
  const step = { scale: 1 - pull, offset: pull * o.target.mean, variance: o.stepSize };
  const moments = [o.start];
  for (let i = 0; i < o.steps; i++) moments.push(marginalise(moments[i], step));
  return moments;
}

/**
 * Where the chain ends: `N(m, v / (1 - delta / (4 v)))`. The mean is right, the variance too large by a share of about
 * `delta / (4 v)`; for a covariance this holds along each of its axes.
 *
 * @throws Error if the variance is not above 0, or the steps so large that the chain runs away
 */
export function langevinStationary(target: Gaussian, stepSize: number): Gaussian {
  checkStepSize(target, stepSize);
  return { mean: target.mean, variance: target.variance / (1 - stepSize / (4 * target.variance)) };
}
