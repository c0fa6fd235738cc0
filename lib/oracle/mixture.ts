/**
 * Data whose true denoiser is known: a mixture of round Gaussians stays one under noise,
 * `q(x_t) = sum_k w_k N(x_t; sqrt(abar_t) mu_k, (abar_t s^2 + 1 - abar_t) I)`.
 */
import { checkMixture, type GaussianMixture } from '../datasets';
import { gatherSchedule, type Denoiser, type Schedule } from '../diffusion';
import { tf } from '../engine';

/** ln of a sum of exponentials, without overflow. */
function logSumExp(values: number[]): number {
  const max = Math.max(...values);
  return max === -Infinity
    ? max
    : max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
}

/**
 * `ln q(x_t)` of one point, nats; with the default `abar = 1` that of the data, `ln p(x_0)`.
 *
 * @param abar share of the signal's variance that is left, 0..1
 * @throws Error if the mixture is none, x has another dimension, or abar lies outside [0, 1]
 */
export function mixtureLogDensity(mixture: GaussianMixture, x: ArrayLike<number>, abar = 1): number {
  checkMixture(mixture);
  const { weights, means, std } = mixture;
  const dims = means[0].length;
  if (x.length !== dims) throw new Error(`x has ${x.length} coordinates, but the mixture has ${dims}.`);
  if (!(abar >= 0 && abar <= 1)) throw new Error(`abar is ${abar}: it must lie between 0 and 1.`);
  const variance = abar * std ** 2 + 1 - abar;
  return logSumExp(
    means.map((mean, k) => {
      const square = mean.reduce((sum, m, d) => sum + (x[d] - Math.sqrt(abar) * m) ** 2, 0);
      return Math.log(weights[k]) - square / (2 * variance) - (dims / 2) * Math.log(2 * Math.PI * variance);
    }),
  );
}

/**
 * The best possible denoiser for a mixture, `E[eps | x_t] = sqrt(1 - abar_t) sum_k r_k (x_t - sqrt(abar_t) mu_k) / V_t` with
 * `V_t = abar_t s^2 + 1 - abar_t` and `r_k` the posterior share of component k.
 *
 * Works on points `[B, D]` and on anything that reshapes to `[B, D]`. A network that is trained with the noise MSE on
 * such data tends to this function.
 *
 * @throws Error if the mixture is none; the denoiser throws if the samples have another dimension
 */
export function mixtureDenoiser(o: { mixture: GaussianMixture; schedule: Schedule }): Denoiser {
  const { mixture, schedule } = o;
  checkMixture(mixture);
  const { weights, means, std } = mixture;
  const dims = means[0].length;
  const variances = schedule.abar.map((abar, t) => abar * std ** 2 + schedule.oneMinusAbar[t]);
  const tables = {
    scale: schedule.abar.map(Math.sqrt),
    precision: variances.map((variance) => 1 / variance),
    factor: variances.map((variance, t) => Math.sqrt(schedule.oneMinusAbar[t]) / variance),
  };
  return (xt, t) =>
    tf.tidy(() => {
      const size = xt.size / xt.shape[0];
      if (size !== dims)
        throw new Error(`xt has shape [${xt.shape}], but the mixture has ${dims} dimensions.`);
      const x = xt.reshape([-1, 1, dims]);
      const mu = tf
        .tensor2d(means)
        .expandDims(0)
        .mul(gatherSchedule(tables.scale, t, 3));
      const distance = x.sub(mu);
      const exponent = distance
        .square()
        .sum(2)
        .mul(gatherSchedule(tables.precision, t, 2))
        .mul(-0.5);
      const logWeights = tf.tensor2d([weights.map(Math.log)]);
      const shares = tf.softmax(exponent.add(logWeights)).expandDims(2);
      const mean = distance
        .mul(shares)
        .sum(1)
        .mul(gatherSchedule(tables.factor, t, 2));
      return mean.reshape(xt.shape);
    });
}
