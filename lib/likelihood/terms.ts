/** The terms of the bound for one batch, each sample at its own step: nats a sample. */
import { run, type RunOptions } from '../compile';
import {
  posteriorCoefficients,
  predictX0,
  priorBits,
  qSample,
  type Denoiser,
  type Schedule,
} from '../diffusion';
import { tf } from '../engine';
import { decoderLogLikelihood } from './decoder';

export interface TermOptions extends RunOptions {
  denoiser: Denoiser;
  schedule: Schedule;
  variance: 'beta' | 'posterior';
  decoder: 'greyLevels' | 'density';
  decoderStd: number;
  clipRange?: readonly [number, number];
}

/**
 * `-ln p(x_0 | x_t)` where a sample's step is 0, and `KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))` where it is above. At
 * t = 0 the mean of the step back is x0Hat itself; above, the two means differ by `a (x_0 - x0Hat)`, a as in
 * `posteriorCoefficients`.
 *
 * @param o.steps one of 0..T-1 for each sample; all of them 0 or none
 * @returns nats, one for each sample
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 5, 8 and 13
 */
export async function lossesAt(
  options: TermOptions,
  o: { x0: tf.Tensor; eps: tf.Tensor; steps: ArrayLike<number> },
): Promise<number[]> {
  const { denoiser, schedule, decoder, decoderStd, clipRange, eager, precision } = options;
  const { x0, eps } = o;
  const t = tf.tensor1d(Int32Array.from(o.steps), 'int32');
  const xt = qSample({ schedule, x0, t, eps });
  const epsHat = await run(denoiser, [xt, t], { eager, precision }).catch((error) => {
    tf.dispose([xt, t]);
    throw error;
  });
  const isLevels = decoder === 'greyLevels' && o.steps[0] === 0;
  const sums = tf.tidy(() => {
    const sum = (values: tf.Tensor): tf.Tensor => tf.sum(tf.reshape(values, [x0.shape[0], -1]), 1);
    if (!clipRange && !isLevels) return sum(tf.squaredDifference(eps, epsHat));
    const guess = predictX0({ schedule, xt, t, eps: epsHat });
    const x0Hat = clipRange ? tf.clipByValue(guess, ...clipRange) : guess;
    return sum(
      isLevels ? decoderLogLikelihood({ x0, mean: x0Hat, std: decoderStd }) : tf.squaredDifference(x0, x0Hat),
    );
  });
  tf.dispose([t, xt, epsHat]);
  const values = Array.from(await sums.data());
  sums.dispose();
  if (isLevels) return values.map((value) => -value);
  const dims = x0.size / x0.shape[0];
  return values.map((value, i) => {
    const step = o.steps[i];
    // The error of the noise is that of x_0, in other units.
    const square = clipRange ? value : (value * schedule.oneMinusAbar[step]) / schedule.abar[step];
    return step === 0
      ? square / (2 * decoderStd ** 2) + (dims / 2) * Math.log(2 * Math.PI * decoderStd ** 2)
      : divergence(options, step, square, dims);
  });
}

/** `KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))`, nats, from `|x_0 - x0Hat|^2`. */
function divergence({ schedule, variance }: TermOptions, t: number, square: number, dims: number): number {
  const { x0: a, variance: posterior } = posteriorCoefficients(schedule, t);
  const sigmaSquared = variance === 'posterior' ? posterior : schedule.betas[t];
  const ratio = posterior / sigmaSquared;
  return (dims / 2) * (ratio - 1 - Math.log(ratio)) + (a * a * square) / (2 * sigmaSquared);
}

/** `KL(q(x_T | x_0) || N(0, I))` of each sample, nats. */
export async function priorNats(schedule: Schedule, x0: tf.Tensor): Promise<number[]> {
  const [count] = x0.shape;
  const dims = x0.size / count;
  const squares = tf.tidy(() => tf.mean(tf.reshape(tf.square(x0), [count, -1]), 1));
  const values = Array.from(await squares.data());
  squares.dispose();
  return values.map((meanSquare) => priorBits(schedule, { meanSquare, dims }) * Math.LN2);
}
