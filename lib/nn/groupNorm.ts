/** Group normalisation, with the activation that follows it, and a gradient of its own. */
import { fuse } from '../compile';
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

/** What may follow the normalisation: nothing, or `silu(y) = y sigmoid(y)`. */
type Activation = 'none' | 'silu';

/** A `[B, C]` table as `[B, 1, 1, C]`, to meet images. */
const spread = (perChannel: tf.Tensor): tf.Tensor => {
  const [batch, channels] = perChannel.shape;
  return tf.reshape(perChannel, [batch, 1, 1, channels]);
};

/** `x a + b`, with tables `[B, C]`. */
const affine = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(x, spread(a)), spread(b));

/** Means over the groups of a `[B, C]` table, spread to every channel of the group again. */
function groupMeans(perChannel: tf.Tensor, groups: number): tf.Tensor {
  const [batch, channels] = perChannel.shape;
  const perGroup = channels / groups;
  const means = tf.mean(tf.reshape(perChannel, [batch, groups, perGroup]), 2, true);
  return tf.reshape(tf.tile(means, [1, 1, perGroup]), [batch, channels]);
}

/**
 * The three steps that touch whole images, each a few loops over memory when it is compiled. (Sums over pixels are left
 * to TensorFlow's own kernels in the gradient: there they are faster than XLA's.)
 */
function unitOf(groups: number, activation: Activation) {
  const forward = fuse(
    (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
      const mean = groupMeans(tf.mean(x, [1, 2]), groups);
      const centred = tf.sub(x, spread(mean));
      const variance = groupMeans(tf.mean(tf.square(centred), [1, 2]), groups);
      const inverseStd = tf.rsqrt(tf.add(variance, EPSILON));
      const scale = tf.mul(inverseStd, gamma);
      const y = affine(x, scale, tf.sub(beta, tf.mul(mean, scale)));
      return [activation === 'silu' ? tf.mul(y, tf.sigmoid(y)) : y, mean, inverseStd];
    },
    { name: 'group_norm', narrow: [0] },
  );
  /** The gradient before the activation, and that times x. */
  const beforeActivation = fuse(
    (dz: tf.Tensor, x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) => {
      if (activation === 'none') return [dz, tf.mul(dz, x)];
      const y = affine(x, scale, shift);
      const sigma = tf.sigmoid(y);
      // d/dy y sigma(y) = sigma + y sigma (1 - sigma)
      const dy = tf.mul(dz, tf.mul(sigma, tf.add(tf.mul(y, tf.sub(1, sigma)), 1)));
      return [dy, tf.mul(dy, x)];
    },
    { name: 'group_norm_gradient_1' },
  );
  const toInput = fuse(
    (dy: tf.Tensor, x: tf.Tensor, p: tf.Tensor, q: tf.Tensor, s: tf.Tensor) =>
      tf.add(affine(dy, p, s), tf.mul(x, spread(q))),
    { name: 'group_norm_gradient_2', narrow: [0] },
  );

  return tf.customGrad((...args: unknown[]) => {
    const [x, gamma, beta] = args as tf.Tensor[];
    const save = args[3] as tf.GradSaveFunc;
    const [value, mean, inverseStd] = forward(x, gamma, beta);
    save([x, gamma, beta, mean, inverseStd]);
    return {
      value,
      gradFunc: (dz: tf.Tensor, [xs, g, b, mu, r]: tf.Tensor[]) => {
        const pixels = xs.shape[1]! * xs.shape[2]!;
        const scale = tf.mul(r, g);
        const [dy, dyX] = beforeActivation(dz, xs, scale, tf.sub(b, tf.mul(mu, scale)));
        // Sums over the pixels of dy and of dy * xHat, per image and channel; xHat = (x - mu) r.
        const sumDy = tf.sum(dy, [1, 2]);
        const sumDyXHat = tf.mul(tf.sub(tf.sum(dyX, [1, 2]), tf.mul(mu, sumDy)), r);
        // dx = r (gamma dy - mean_g(gamma dy) - xHat mean_g(gamma dy xHat)), as dy * p + x * q + s.
        const meanDy = tf.div(groupMeans(tf.mul(g, sumDy), groups), pixels);
        const meanDyXHat = tf.div(groupMeans(tf.mul(g, sumDyXHat), groups), pixels);
        const q = tf.neg(tf.mul(tf.square(r), meanDyXHat));
        const s = tf.sub(tf.neg(tf.mul(mu, q)), tf.mul(r, meanDy));
        return [toInput(dy, xs, scale, q, s), tf.sum(sumDyXHat, 0), tf.sum(sumDy, 0)];
      },
    };
  });
}

const units = new Map<string, ReturnType<typeof unitOf>>();

/**
 * `y = gamma (x - mean_g) / sqrt(var_g + 1e-5) + beta`, with mean and (biased) variance over the pixels and channels of
 * each of `groups` groups of an image (Wu & He 2018, arXiv 1803.08494, eq. 1-6); then, if asked for, `y sigmoid(y)`.
 *
 * Shapes: `x [B, H, W, C]`; `gamma`, `beta` `[C]`. The variance is that of the centred values, so a large mean does not
 * cancel it. Forward and gradient are a per-channel affine map of `x` each, whose coefficients `[B, C]` are small: few
 * passes over the image, where the chain rule through the definition makes some thirty.
 */
export function groupNormalise(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  groups: number,
  activation: Activation = 'none',
): tf.Tensor {
  const channels = x.shape[3]!;
  if (!(groups >= 1) || channels % groups !== 0) {
    throw new Error(
      `groups = ${groups} does not divide ${channels} channels: use a divisor, such as ${groupsFor(channels)}.`,
    );
  }
  const key = `${groups} ${activation}`;
  const unit = units.get(key) ?? unitOf(groups, activation);
  units.set(key, unit);
  return tf.tidy(() => unit(x, gamma, beta));
}

/** Group normalisation as a layer: `gamma` starts at 1, `beta` at 0. */
export function groupNorm(
  parameters: Parameters,
  options: { channels: number; groups?: number; activation?: Activation },
): Layer {
  const { channels, groups = groupsFor(channels), activation } = options;
  const gamma = parameters.constant('gamma', [channels], 1);
  const beta = parameters.constant('beta', [channels], 0);
  return (x) => groupNormalise(x, gamma, beta, groups, activation);
}
