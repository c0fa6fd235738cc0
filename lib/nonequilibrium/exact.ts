/** Binomial models of few bits, for which all states can be listed: everything exact, by products of transition matrices. */
import { compile } from '../compile';
import { ready, tf } from '../engine';
import { multiplyBinomial, type BinomialStep } from './binomial';
import { flipMarginal, type FlipSchedule } from './flips';
import type { ReverseModel } from './model';

/** With more, the matrices of a step have more than 16 million entries. */
const MOST_BITS = 12;

type BinomialModel = ReverseModel<BinomialStep>;

function assertFew({ kind, dims }: BinomialModel): void {
  if (kind !== 'binomial')
    throw new Error('The model is Gaussian: only bits have states that can be listed.');
  if (dims <= MOST_BITS) return;
  throw new Error(
    `The model has ${dims} bits, so 2^${dims} states: list them for at most ${MOST_BITS} bits.`,
  );
}

/** All `2^bits` states, `2^bits * bits` numbers: bit i of state s is the i-th highest digit of s. */
export function allStates(bits: number): Float32Array {
  return Float32Array.from({ length: bits * 2 ** bits }, (_, at) => {
    const [state, bit] = [Math.floor(at / bits), at % bits];
    return (state >> (bits - 1 - bit)) & 1;
  });
}

/** The number of a state in `allStates`. */
export function stateNumber(bits: ArrayLike<number>): number {
  return Array.from(bits).reduce((number, bit) => 2 * number + bit, 0);
}

/** The probability of each state if the bits are independent and 1 with these probabilities. */
export function independentBits(ones: ArrayLike<number>): Float64Array {
  return fillIndependent(new Float64Array(2 ** ones.length), ones, 1);
}

/** The same times a weight, into an array that is there. */
function fillIndependent(row: Float64Array, ones: ArrayLike<number>, weight: number): Float64Array {
  row[0] = weight;
  for (let bit = 0, size = 1; bit < ones.length; bit++, size *= 2) {
    // Each state of the bits so far becomes two; from the last, so that none is overwritten before it was read.
    for (let s = size - 1; s >= 0; s--) {
      const one = row[s] * ones[bit];
      row[2 * s] = row[s] - one;
      row[2 * s + 1] = one;
    }
  }
  return row;
}

/** How a chain is bent, as in `reverseChain`. */
type Bend = (step: BinomialStep, t: number) => BinomialStep;

/**
 * The exact distribution of x_0 that a binomial model of few bits draws from: the product of its T transition matrices,
 * applied to the distribution of x_T.
 *
 * @param o.schedule the model's own
 * @param o.bend as in `reverseChain`: then it is the distribution of the bent chain
 * @returns a probability for each of the `2^D` states, in the order of `allStates`
 * @throws Error if the model is not binomial, or has more than 12 bits
 */
export async function exactMarginal(o: {
  model: BinomialModel;
  schedule: FlipSchedule;
  bend?: Bend;
}): Promise<Float64Array> {
  const { model, schedule, bend } = o;
  assertFew(model);
  const { dims, T } = model;
  await ready();
  const states = tf.tensor2d(allStates(dims), [2 ** dims, dims]);
  const one = compile((t: tf.Tensor1D) => tf.tidy(() => model.step(states, t).one), { name: 'step' });
  let law = independentBits(new Float64Array(dims).fill(schedule.rate));
  const row = new Float64Array(law.length);
  for (let t = T - 1; t >= 0; t--) {
    const at = tf.fill<tf.Rank.R1>([law.length], t, 'int32');
    const free = await one.async(at);
    const bent = bend ? tf.tidy(() => bend({ one: free }, t).one.clone()) : free;
    const rates = (await bent.data()) as Float32Array;
    tf.dispose([at, free, bent]);
    const next = new Float64Array(law.length);
    for (let state = 0; state < law.length; state++) {
      fillIndependent(row, rates.subarray(state * dims, (state + 1) * dims), law[state]);
      for (let to = 0; to < row.length; to++) next[to] += row[to];
    }
    law = next;
  }
  one.dispose();
  states.dispose();
  return law;
}

/**
 * The bound K for given samples, exactly: the mean over x_t as a sum over all states instead of draws.
 *
 * @param o.samples lists of D bits
 * @returns K of each sample, bits
 * @throws Error if the model is not binomial, or has more than 12 bits
 * @see `reverseBound`, which draws
 */
export async function exactBound(o: {
  model: BinomialModel;
  schedule: FlipSchedule;
  samples: readonly (readonly number[])[];
}): Promise<Float64Array> {
  const { model, schedule, samples } = o;
  assertFew(model);
  const { dims, T } = model;
  await ready();
  const count = 2 ** dims;
  const states = tf.tensor2d(allStates(dims), [count, dims]);
  const term = compile(
    (x0: tf.Tensor, t: tf.Tensor1D) => tf.tidy(() => model.term(tf.tile(x0, [count, 1]), states, t)),
    { name: 'term' },
  );
  const bounds = new Float64Array(samples.length);
  for (let k = 0; k < samples.length; k++) {
    const x0 = tf.tensor2d([[...samples[k]]]);
    const prior = model.priorTerm(x0);
    bounds[k] -= (await prior.data())[0];
    for (let t = 0; t < T; t++) {
      const at = tf.fill<tf.Rank.R1>([count], t, 'int32');
      const terms = await term.async(x0, at);
      const law = independentBits(samples[k].map((bit) => flipMarginal(schedule, bit, t)));
      bounds[k] -= ((await terms.data()) as Float32Array).reduce((sum, bits, s) => sum + law[s] * bits, 0);
      tf.dispose([at, terms]);
    }
    tf.dispose([x0, prior]);
  }
  term.dispose();
  states.dispose();
  return bounds;
}

/** Bends a chain by the same weights in every step, as the paper does with r(x) that does not depend on t. */
export const bendBits =
  (weights: { zero: readonly number[]; one: readonly number[] }) =>
  (step: BinomialStep): BinomialStep =>
    multiplyBinomial(step, weights);
