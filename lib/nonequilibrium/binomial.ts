/** Binomial diffusion with a learned way back: for each bit the probability that it was 1 a step before. */
import { gatherSchedule } from '../diffusion';
import { tf, type Generator } from '../engine';
import type { FlipSchedule } from './flips';
import { assertSamples, spokenSteps, type LastStep, type ReverseModel } from './model';
import type { MakeNet } from './nets';

/** `p(x_{t-1} | x_t)` of a batch: independent bits. */
export interface BinomialStep {
  /** `[B, D]`, the probability of a 1. */
  one: tf.Tensor;
}

export interface BinomialReverseOptions {
  schedule: FlipSchedule;
  /** Bits in a sample. */
  dims: number;
  net: MakeNet;
  /** Of the first values of the parameters. */
  generator: Generator;
  /** 'forward' (the paper's, and the default), or 'learned'. */
  lastStep?: LastStep;
}

/** Probabilities are kept this far from 0 and 1, where float32 has no logarithm of a difference. */
const LEAST = 1e-7;
/** In place of a probability of 0. */
const SMALLEST = 1e-30;

/**
 * A binomial reverse process: a network f says with which probability c each bit of x_0 is 1, and that goes through the
 * posterior of the forward process: `p(x_{t-1} = 1 | x_t) = c q(1 | x_t, x_0 = 1) + (1 - c) q(1 | x_t, x_0 = 0)`, with
 * `logit c = f + logit q(x_0 = 1 | x_t)`, the latter for a bit that knows nothing of the others.
 *
 * The paper's network gives the left side itself; this way it need not learn how little a bit changes in a step. As it
 * begins by saying 0, the chain begins as the exact inverse of that of independent bits. The caller disposes of the model.
 *
 * @throws Error if dims is no whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.2 and table App.1
 */
export function binomialReverse(options: BinomialReverseOptions): ReverseModel<BinomialStep> {
  const { schedule, dims, lastStep = 'forward', generator } = options;
  if (!(Number.isSafeInteger(dims) && dims >= 1)) {
    throw new Error(`dims = ${dims}: use a whole number of at least 1.`);
  }
  const { T, rate, betas, abar, abarPrev } = schedule;
  const net = options.net({ inputs: dims, outputs: dims, T, generator });
  const spoken = spokenSteps(T, lastStep);
  const at = (table: ArrayLike<number>, t: tf.Tensor1D): tf.Tensor => gatherSchedule(table, t, 2);
  // logit q(x_0 = 1 | x_t) for a bit of noise that is 1, and one that is 0.
  const logitOf = (likelihoodRatio: (t: number) => number): number[] =>
    Array.from({ length: T }, (_, t) => Math.log((rate / (1 - rate)) * likelihoodRatio(t)));
  const ifOne = logitOf((t) => (abar[t] + rate * (1 - abar[t])) / (rate * (1 - abar[t])));
  const ifZero = logitOf((t) => ((1 - rate) * (1 - abar[t])) / (abar[t] + (1 - rate) * (1 - abar[t])));

  /** `p A + (1 - p) B`. */
  const mix = (p: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.add(tf.mul(p, tf.sub(a, b)), b);

  /** `q(x_{t-1} = 1 | x_t, x_0)` for bits x_t and x_0. */
  const posterior = (x0: tf.Tensor, xt: tf.Tensor, t: tf.Tensor1D): tf.Tensor => {
    const left = at(abarPrev, t);
    const before = tf.add(tf.mul(x0, left), tf.mul(tf.sub(1, left), rate));
    const beta = at(betas, t);
    // How probable x_t is if the bit was 1 before, and if it was 0.
    const thrown = tf.mul(beta, tf.add(tf.mul(xt, 2 * rate - 1), 1 - rate));
    const fromOne = tf.mul(before, tf.add(tf.mul(tf.sub(1, beta), xt), thrown));
    const fromZero = tf.mul(tf.sub(1, before), tf.add(tf.mul(tf.sub(1, beta), tf.sub(1, xt)), thrown));
    return tf.div(fromOne, tf.add(fromOne, fromZero));
  };

  const step = (xt: tf.Tensor, t: tf.Tensor1D): BinomialStep => {
    assertSamples('xt', xt, dims);
    return tf.tidy(() => {
      const clean = tf.sigmoid(tf.add(net.predict(xt, t), mix(xt, at(ifOne, t), at(ifZero, t))));
      // At t = 0 the posterior is x_0 itself, and this the guess.
      const guessed = mix(clean, posterior(tf.onesLike(xt), xt, t), posterior(tf.zerosLike(xt), xt, t));
      const beta = at(betas, t);
      const kernel = tf.add(tf.mul(xt, tf.sub(1, beta)), tf.mul(beta, rate));
      return { one: mix(at(spoken, t), guessed, kernel) };
    });
  };

  return {
    kind: 'binomial',
    dims,
    T,
    parameters: net.parameters,
    parameterCount: net.parameterCount,
    noised: (x0, t, noise) =>
      tf.tidy(() => {
        const left = at(abar, t);
        return tf.cast(tf.less(noise, tf.add(tf.mul(x0, left), tf.mul(tf.sub(1, left), rate))), 'float32');
      }),
    step,
    draw: ({ one }, noise) => tf.tidy(() => tf.cast(tf.less(noise, one), 'float32')),
    start: (noise) => tf.tidy(() => tf.cast(tf.less(noise, rate), 'float32')),
    term: (x0, xt, t) => tf.tidy(() => klBits(posterior(x0, xt, t), step(xt, t).one)),
    priorTerm: (x0) =>
      tf.tidy(() => {
        const left = abar[T - 1];
        return klBits(tf.add(tf.mul(x0, left), rate * (1 - left)), tf.fill(x0.shape, rate));
      }),
    nullBits: (x0) => tf.tidy(() => tf.neg<tf.Tensor1D>(klBits(x0, tf.fill(x0.shape, rate)))),
    dispose: () => net.dispose(),
  };
}

/** `KL(q || p)` of bits that are 1 with these probabilities, in bits, summed over each sample: `[B, D]` to `[B]`. */
function klBits(q: tf.Tensor, p: tf.Tensor): tf.Tensor1D {
  const kept = tf.clipByValue(p, LEAST, 1 - LEAST);
  const part = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    tf.mul(a, tf.sub(tf.log(tf.maximum(a, SMALLEST)), tf.log(b)));
  const nats = tf.sum(tf.add(part(q, kept), part(tf.sub(1, q), tf.sub(1, kept))), 1);
  return tf.mul(nats, 1 / Math.LN2) as tf.Tensor1D;
}

/**
 * A step multiplied by another distribution of independent bits: `one r1 / (one r1 + (1 - one) r0)`, which is exact.
 *
 * @param weights for each bit how probable r finds a 0, and a 1; a 0 forbids that value
 * @throws Error if the lists differ in length from each other or from the bits, or both weights of a bit are 0
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.5 and table App.1
 */
export function multiplyBinomial(
  step: BinomialStep,
  weights: { zero: readonly number[]; one: readonly number[] },
): BinomialStep {
  const { zero, one } = weights;
  const bits = step.one.shape[1]!;
  if (zero.length !== bits || one.length !== bits) {
    throw new Error(
      `weights.zero has ${zero.length} and weights.one ${one.length} values: give one for each of the ${bits} bits.`,
    );
  }
  const wrong = zero.findIndex((w, i) => !(w >= 0 && one[i] >= 0 && w + one[i] > 0));
  if (wrong >= 0) {
    throw new Error(
      `The weights of bit ${wrong} are ${zero[wrong]} and ${one[wrong]}: they must be at least 0, and not both 0.`,
    );
  }
  return tf.tidy(() => {
    // A step may be certain of what r forbids; r decides then.
    const weighted = (p: tf.Tensor, by: readonly number[]): tf.Tensor =>
      tf.mul(tf.maximum(p, SMALLEST), tf.tensor1d([...by]));
    const a = weighted(step.one, one);
    return { one: tf.div(a, tf.add(a, weighted(tf.sub(1, step.one), zero))) };
  });
}
