/** Group normalisation with a gradient of its own. */
import { tf } from '../engine';
import type { Layer } from './layers';
import type { Parameters } from './parameters';

const EPSILON = 1e-5;

/**
 * The largest divisor of `channels` that is at most `most` (8 by default): the number of groups.
 *
 * @throws when either is not a whole number of at least 1.
 */
export function groupsFor(channels: number, most = 8): number {
  for (const [name, value] of Object.entries({ channels, most })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new Error(`${name} = ${value}: use a whole number of at least 1.`);
    }
  }
  let groups = Math.min(most, channels);
  while (channels % groups !== 0) groups--;
  return groups;
}

/**
 * `y = gamma (x - mean_g) / sqrt(var_g + 1e-5) + beta`, with mean and (biased) variance over the pixels and channels of
 * each of `groups` groups of an image (Wu & He 2018, arXiv 1803.08494, eq. 1-6).
 *
 * Shapes: `x [B, H, W, C]`; `gamma`, `beta` `[C]`. The variance is that of the centred values, so a large mean does not
 * cancel it. Forward and gradient are a per-channel affine map of `x` each, whose coefficients `[B, 1, 1, C]` are small:
 * few passes over the image, where the chain rule through the definition makes some thirty.
 */
export function groupNormalise(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, groups: number): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  if (!(groups >= 1) || channels % groups !== 0) {
    throw new Error(
      `groups = ${groups} does not divide ${channels} channels: use a divisor, such as ${groupsFor(channels)}.`,
    );
  }
  const perGroup = channels / groups;
  const pixels = height * width;
  /** Means over the group of a `[B, C]` table, spread to every channel of the group again. */
  const groupMean = (perChannel: tf.Tensor): tf.Tensor =>
    tf
      .tile(tf.mean(tf.reshape(perChannel, [batch, groups, perGroup]), 2, true), [1, 1, perGroup])
      .reshape([batch, channels]);
  const spread = (perChannel: tf.Tensor): tf.Tensor => tf.reshape(perChannel, [-1, 1, 1, channels]);

  const normalise = tf.customGrad((...args: unknown[]) => {
    const [input, g, b] = args as tf.Tensor[];
    const save = args[3] as tf.GradSaveFunc;
    const mean = groupMean(tf.mean(input, [1, 2]));
    const variance = groupMean(tf.mean(tf.squaredDifference(input, spread(mean)), [1, 2]));
    const inverseStd = tf.rsqrt(tf.add(variance, EPSILON));
    const scale = tf.mul(inverseStd, g);
    save([input, g, mean, inverseStd]);
    return {
      value: tf.add(tf.mul(input, spread(scale)), spread(tf.sub(b, tf.mul(mean, scale)))),
      gradFunc: (dy: tf.Tensor, [xs, gs, mu, r]: tf.Tensor[]) => {
        // Sums over the pixels of dy and of dy * xHat, per image and channel; xHat = (x - mu) r.
        const sumDy = tf.sum(dy, [1, 2]);
        const sumDyXHat = tf.mul(tf.sub(tf.sum(tf.mul(dy, xs), [1, 2]), tf.mul(mu, sumDy)), r);
        // dx = r (gamma dy - mean_g(gamma dy) - xHat mean_g(gamma dy xHat)), as dy * p + x * q + s.
        const meanDy = tf.div(groupMean(tf.mul(gs, sumDy)), pixels);
        const meanDyXHat = tf.div(groupMean(tf.mul(gs, sumDyXHat)), pixels);
        const q = tf.neg(tf.mul(tf.square(r), meanDyXHat));
        const s = tf.sub(tf.neg(tf.mul(mu, q)), tf.mul(r, meanDy));
        const dx = tf.add(tf.add(tf.mul(dy, spread(tf.mul(r, gs))), tf.mul(xs, spread(q))), spread(s));
        return [dx, tf.sum(sumDyXHat, 0), tf.sum(sumDy, 0)];
      },
    };
  });
  return tf.tidy(() => normalise(x, gamma, beta));
}

/** Group normalisation as a layer: `gamma` starts at 1, `beta` at 0. */
export function groupNorm(parameters: Parameters, options: { channels: number; groups?: number }): Layer {
  const { channels, groups = groupsFor(channels) } = options;
  const gamma = parameters.constant('gamma', [channels], 1);
  const beta = parameters.constant('beta', [channels], 0);
  return (x) => groupNormalise(x, gamma, beta, groups);
}
