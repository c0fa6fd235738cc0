/**
 * From z_0 back to one of 256 levels: `p(x | z_0)` is proportional to `q(z_0 | x)`, normalised over all levels.
 *
 * Nothing in it is learned, and it is right as soon as the levels are equally likely: with so little noise in z_0 that
 * hardly two of them come into question, that costs nearly nothing. `likelihood/decoder.ts` holds the other decoder, the
 * integral of a Gaussian.
 */
import { tf } from '../engine';
import { GREY_LEVELS } from '../likelihood';
import { sigmaOf, alphaOf } from './levels';
import { assertAlike } from './tensors';

/** The value of a level, as everywhere: 0 is -1 and 255 is 1. */
const valueOf = (level: number): number => level / 127.5 - 1;
const VALUES = Float32Array.from({ length: GREY_LEVELS }, (_, level) => valueOf(level));

/** Throws unless gamma is a number. */
function assertGamma(gamma: number): void {
  if (!Number.isFinite(gamma)) throw new Error(`gamma is ${gamma}: a level of noise must be a number.`);
}

/**
 * `ln p(level | z_0)` of all 256 levels, nats: `-(z_0 / alpha - x)^2 / (2 e^gamma)`, normalised. Their probabilities sum
 * to 1.
 *
 * @param o.z one number of z_0
 * @param o.gamma gamma(0)
 * @throws Error if a number is not finite
 * @see Kingma et al. 2021 (arXiv 2107.00630), section "Reverse time generative model"
 */
export function levelLogProbabilities(o: { z: number; gamma: number }): Float64Array {
  assertGamma(o.gamma);
  if (!Number.isFinite(o.z)) throw new Error(`z is ${o.z}: it must be a number.`);
  return logProbabilitiesAt(o.z / alphaOf(o.gamma), Math.exp(o.gamma));
}

function logProbabilitiesAt(x: number, variance: number): Float64Array {
  const logits = Float64Array.from(
    { length: GREY_LEVELS },
    (_, level) => -((x - valueOf(level)) ** 2) / (2 * variance),
  );
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  return logits.map((logit) => logit - total);
}

/** Nodes of the integral over the noise, from -RANGE to RANGE; the trapezoidal rule is exact to many digits there. */
const NODES = 801;
const RANGE = 9;

/**
 * `E[-ln p(level | z_0)]` over the noise of z_0, nats: what one number of that level costs in the reconstruction term,
 * whatever the network. Of a level amid others by default; the two outer ones have one neighbour and cost less.
 *
 * @throws Error if gamma is no number or level none of 0..255
 */
export function reconstructionNats(gamma: number, level = 128): number {
  assertGamma(gamma);
  if (!(Number.isInteger(level) && level >= 0 && level < GREY_LEVELS)) {
    throw new Error(`level is ${level}: levels are the whole numbers 0..${GREY_LEVELS - 1}.`);
  }
  // In units of x the noise of z_0 / alpha has this deviation.
  const noise = sigmaOf(gamma) / alphaOf(gamma);
  const step = (2 * RANGE) / (NODES - 1);
  let sum = 0;
  for (let i = 0; i < NODES; i++) {
    const eps = -RANGE + i * step;
    const density = Math.exp(-(eps ** 2) / 2) / Math.sqrt(2 * Math.PI);
    sum -= density * logProbabilitiesAt(valueOf(level) + noise * eps, noise ** 2)[level];
  }
  return sum * step;
}

/** `-(z / alpha - x)^2 / (2 e^gamma)` of all levels, `[..., 256]`. */
function logitsOf(z: tf.Tensor, gamma: tf.Tensor): tf.Tensor {
  const alpha = tf.sqrt(tf.sigmoid(tf.neg(gamma)));
  const distance = tf.sub(tf.expandDims(tf.div(z, alpha), -1), tf.tensor1d(VALUES.slice()));
  return tf.mul(tf.square(distance), tf.mul(tf.exp(tf.neg(gamma)), -0.5));
}

/**
 * `ln p(x | z_0)` of each number, nats, in float32; differentiable by gamma and z. Needs memory for 256 numbers each.
 *
 * @param o.x0 values of levels, in [-1, 1]
 * @param o.z z_0, shaped as x0
 * @param o.gamma gamma(0), a scalar
 * @returns shaped as x0; the caller owns it
 * @throws Error if the shapes differ
 * @see Kingma et al. 2021 (arXiv 2107.00630), section "Reverse time generative model"
 */
export function levelLogLikelihood(o: { x0: tf.Tensor; z: tf.Tensor; gamma: tf.Tensor }): tf.Tensor {
  const { x0, z, gamma } = o;
  assertAlike('x0', x0, 'z', z);
  return tf.tidy(() => {
    const alpha = tf.sqrt(tf.sigmoid(tf.neg(gamma)));
    const precision = tf.mul(tf.exp(tf.neg(gamma)), -0.5);
    const own = tf.mul(tf.square(tf.sub(tf.div(z, alpha), x0)), precision);
    return tf.sub(own, tf.logSumExp(logitsOf(z, gamma), -1));
  });
}

/**
 * z_0 as levels: the most probable ones, or with `gumbel` (of the shape `[...z, 256]`, Gumbel noise) levels drawn from
 * `p(x | z_0)`.
 *
 * @returns values of levels in [-1, 1], shaped as z; the caller owns it
 * @throws Error if gamma is no number
 */
export function toLevels(o: { z: tf.Tensor; gamma: number; gumbel?: tf.Tensor }): tf.Tensor {
  assertGamma(o.gamma);
  return tf.tidy(() => {
    const logits = logitsOf(o.z, tf.scalar(o.gamma));
    const level = tf.argMax(o.gumbel ? tf.add(logits, o.gumbel) : logits, -1);
    return tf.sub(tf.div(tf.cast(level, 'float32'), (GREY_LEVELS - 1) / 2), 1);
  });
}
