/** The best denoiser of data whose density is known, as a function of the level of noise. */
import { pure } from '../compile';
import { checkMixture, type GaussianMixture } from '../datasets';
import { scheduleFromBetas } from '../diffusion';
import { tf } from '../engine';
import type { Oracle, OracleValues } from '../oracle';
import { sigmaOf } from './levels';
import { perSample, type GammaDenoiser } from './tensors';

/**
 * All that an oracle knows about z at any level of noise, float64: that of a schedule whose only step leads there.
 *
 * @throws Error if zt has another size than the data, or the level has no noise or no signal
 */
export function oracleAtGamma(o: { oracle: Oracle; zt: ArrayLike<number>; gamma: number }): OracleValues {
  const schedule = scheduleFromBetas([sigmaOf(o.gamma) ** 2], `gamma = ${o.gamma}`);
  return o.oracle.at({ schedule, xt: o.zt, t: 0 });
}

/**
 * `E[eps | z]` for a mixture of round Gaussians, on tensors, declared `pure` and differentiable by z and gamma:
 * `sigma / V sum_k r_k (z - alpha mu_k)` with `V = alpha^2 std^2 + sigma^2` and r_k the posterior share of component k.
 *
 * @throws Error if the mixture is none; the denoiser, if its samples have another size
 */
export function mixtureGammaDenoiser(mixture: GaussianMixture): GammaDenoiser {
  checkMixture(mixture);
  const { weights, std } = mixture;
  const means = mixture.means.map((mean) => [...mean]);
  const dims = means[0].length;
  return pure((zt, gamma) =>
    tf.tidy(() => {
      if (zt.rank !== 2 || zt.shape[1] !== dims) {
        throw new Error(`zt has shape [${zt.shape}], but the mixture has points [B, ${dims}].`);
      }
      const alpha2 = perSample(tf.sigmoid(tf.neg(gamma)), 3);
      const sigma2 = perSample(tf.sigmoid(gamma), 3);
      const variance = tf.add(tf.mul(alpha2, std ** 2), sigma2);
      const distance = tf.sub(tf.expandDims(zt, 1), tf.mul(tf.sqrt(alpha2), tf.tensor3d([means])));
      const exponent = tf.div(tf.sum(tf.square(distance), 2, true), tf.mul(variance, -2));
      const logWeights = tf.tensor3d([weights.map((weight) => [Math.log(weight)])]);
      const shares = tf.softmax(tf.squeeze(tf.add(exponent, logWeights), [2]));
      const scale = tf.div(tf.sqrt(sigma2), variance);
      return tf.sum(tf.mul(tf.mul(distance, tf.expandDims(shares, 2)), scale), 1);
    }),
  );
}
