/** The bound of a variational diffusion model in its three terms, for a batch. */
import { tf } from '../engine';
import { levelLogLikelihood } from './levelDecoder';
import type { GammaSchedule } from './schedule';
import { noised, sumOfSample, type GammaDenoiser } from './tensors';

/** The terms of each sample, nats `[B]`. */
export interface VdmTerms {
  /** `KL(q(z_1 | x) || N(0, I))`. */
  prior: tf.Tensor1D;
  /** `-ln p(x | z_0)` with the decoder of 256 levels; 0 where the data have none. */
  reconstruction: tf.Tensor1D;
  /** The diffusion loss at the sample's own time: without bias for the sum or integral over all times. */
  diffusion: tf.Tensor1D;
}

/** What the terms are of. */
export interface VdmBatch {
  /** Samples `[B, ...]`; values of 256 levels in [-1, 1] for the decoder. */
  x0: tf.Tensor;
  /** `[B]`, in [0, 1): at which time each is looked at (with T: in which step). */
  times: tf.Tensor1D;
  /** Standard normal noise of z_t, shaped as x0. */
  eps: tf.Tensor;
  /** Of z_0, for the reconstruction; shaped as x0. */
  eps0: tf.Tensor;
}

export interface VdmLossOptions {
  schedule: GammaSchedule;
  denoiser: GammaDenoiser;
  /** Steps; continuous time if left out. */
  T?: number;
  /** What p(x | z_0) is of: 'levels' (the default) or 'none', which leaves the term out. */
  decoder?: 'levels' | 'none';
  /** Weight of the diffusion loss as a function of gamma; 1 by default, which makes it a bound. */
  weight?: (gamma: tf.Tensor) => tf.Tensor;
}

/**
 * `KL(q(z_1 | x) || N(0, I)) = sum (sigma^2 + alpha^2 x^2 - 1 - ln sigma^2) / 2` of each sample, nats.
 *
 * @param o.gamma gamma(1), a scalar
 * @returns `[B]`; the caller owns it
 */
export function priorTerm(o: { x0: tf.Tensor; gamma: tf.Tensor }): tf.Tensor1D {
  return tf.tidy(() => {
    // sigma^2 - 1 = -alpha^2, and -ln sigma^2 = softplus(-gamma) = log1p(exp(-gamma)).
    const alpha2 = tf.sigmoid(tf.neg(o.gamma));
    const ofEach = tf.add(tf.mul(tf.sub(tf.square(o.x0), 1), alpha2), tf.log1p(tf.exp(tf.neg(o.gamma))));
    return tf.mul(sumOfSample(ofEach), 0.5);
  });
}

/**
 * The weight of `|eps - epsHat|^2 / 2` and the level at which it is taken: in continuous time `gamma'(t)` at gamma(t), with T
 * steps `T expm1(gamma(t) - gamma(s))` at the end t of the step that the time falls into.
 *
 * @returns `[B]` each; the caller owns them
 * @see Kingma et al. 2021 (arXiv 2107.00630), eqs. 14 and 17
 */
export function levelAndWeight(o: { schedule: GammaSchedule; times: tf.Tensor1D; T?: number }): {
  gamma: tf.Tensor1D;
  weight: tf.Tensor1D;
} {
  const { schedule, times, T } = o;
  const [gamma, weight] = tf.tidy(() => {
    if (T === undefined) return [schedule.gamma(times), schedule.slope(times)];
    // In float32 a time just below 1 can be 1.
    const s = tf.div(tf.minimum(tf.floor(tf.mul(times, T)), T - 1), T);
    const gamma = schedule.gamma(tf.add(s, 1 / T));
    return [gamma, tf.mul(tf.expm1(tf.sub(gamma, schedule.gamma(s))), T)];
  }) as [tf.Tensor1D, tf.Tensor1D];
  return { gamma, weight };
}

/** `|eps - epsHat(z, gamma)|^2` of each sample, `[B]`, with `z = alpha x + sigma eps`; the caller owns it. */
export function noiseError(o: {
  x0: tf.Tensor;
  eps: tf.Tensor;
  gamma: tf.Tensor1D;
  denoiser: GammaDenoiser;
}): tf.Tensor1D {
  return tf.tidy(() => {
    const epsHat = o.denoiser(noised(o), o.gamma);
    return sumOfSample(tf.squaredDifference(o.eps, epsHat));
  });
}

/** Prior and reconstruction of each sample, which know nothing of the network and of gamma only its ends. */
export function endTerms(
  { schedule, decoder = 'levels' }: Pick<VdmLossOptions, 'schedule' | 'decoder'>,
  { x0, eps0 }: Pick<VdmBatch, 'x0' | 'eps0'>,
): Pick<VdmTerms, 'prior' | 'reconstruction'> {
  const count = x0.shape[0];
  const [gamma0, gamma1] = [0, 1].map((t) => schedule.gamma(tf.scalar(t)));
  const prior = priorTerm({ x0, gamma: gamma1 });
  if (decoder === 'none') return { prior, reconstruction: tf.zeros([count]) };
  const z = noised({ x0, gamma: tf.mul(gamma0, tf.ones([count])), eps: eps0 });
  const logLikelihood = sumOfSample(levelLogLikelihood({ x0, z, gamma: gamma0 }));
  return { prior, reconstruction: tf.neg(logLikelihood) };
}

/** The diffusion loss of each sample, `[B]`, with level and weight given, so that gradients by them can be had. */
export function diffusionTerm(
  { denoiser, weight: choice }: Pick<VdmLossOptions, 'denoiser' | 'weight'>,
  { x0, eps }: Pick<VdmBatch, 'x0' | 'eps'>,
  { gamma, weight }: { gamma: tf.Tensor1D; weight: tf.Tensor1D },
): tf.Tensor1D {
  const weighted = choice ? tf.mul(weight, choice(gamma)) : weight;
  return tf.mul(tf.mul(noiseError({ x0, eps, gamma, denoiser }), weighted), 0.5);
}

/**
 * The three terms of the bound on `-ln p(x)` for a batch, nats a sample:
 * `KL(q(z_1 | x) || N(0, I)) + E[-ln p(x | z_0)] + L`, where L is
 *
 * - in continuous time `1/2 E[gamma'(t) |eps - epsHat(z_t, gamma_t)|^2]`,
 * - with T steps `T/2 E[expm1(gamma_t - gamma_s) |eps - epsHat(z_t, gamma_t)|^2]`.
 *
 * All are differentiable by the network and by the schedule.
 *
 * @returns `[B]` each; the caller owns them
 * @throws Error if shapes do not fit, or T is no whole number of at least 1
 * @see Kingma et al. 2021 (arXiv 2107.00630), eqs. 11, 14 and 17
 */
export function vdmTerms(options: VdmLossOptions & VdmBatch): VdmTerms {
  checkLossOptions(options);
  const terms = tf.tidy(() => {
    const { prior, reconstruction } = endTerms(options, options);
    return [prior, reconstruction, diffusionTerm(options, options, levelAndWeight(options))];
  });
  const [prior, reconstruction, diffusion] = terms;
  return { prior, reconstruction, diffusion };
}

/** @throws Error if T, the decoder or the times do not fit */
export function checkLossOptions({ T, decoder = 'levels' }: VdmLossOptions): void {
  if (T !== undefined && !(Number.isInteger(T) && T >= 1)) {
    throw new Error(`T is ${T}: use a whole number of at least 1, or leave it out for continuous time.`);
  }
  if (decoder !== 'levels' && decoder !== 'none') {
    throw new Error(`decoder is ${JSON.stringify(decoder)}: use 'levels' or 'none'.`);
  }
}
