/** The bound of a reverse model on the log-likelihood, in bits a sample. */
import { compile } from '../compile';
import { ready, tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';
import type { ReverseModel } from './model';
import { noiseOf } from './noise';

export interface ReverseBoundOptions {
  model: ReverseModel;
  /** Samples `[B, D]`; they stay the caller's. */
  x0: tf.Tensor;
  generator: Generator;
  /** How often each sample is noised at each step, 1 by default. */
  draws?: number;
  /** When it says stopped, the result is undefined. Default: the button ■. */
  stop?: StopToken;
}

/** Means over the samples, in bits a sample. */
export interface ReverseBound {
  /** K, a lower bound on the mean of `log2 p(x_0)`. */
  bits: number;
  /** Of that mean. */
  standardError: number;
  /** K of each sample, `[B]`. */
  values: Float64Array;
  /** What each step t = 0..T-1 costs: K is minus their sum, minus `prior`. */
  steps: Float64Array;
  /** What x_T costs. */
  prior: number;
  /** The mean of `log2 p(x_0)` of a model without any step: independent noise. */
  nullBits: number;
  /** `bits - nullBits`. */
  gain: number;
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The bound of the 2015 paper by sampling x_t from q, with every KL divergence in closed form:
 * `K = -sum_{t>0} E KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) + E log2 p(x_0 | x_1) - KL(q(x_T | x_0) || p(x_T))`.
 *
 * With the forward kernel as the last step, and data of the noise's mean and variance, the last two terms are the paper's
 * three entropies, `H_q(X_T | X_0) - H_q(X_1 | X_0) - H_p(X_T)`.
 *
 * @returns undefined if it was stopped
 * @throws Error if x0 is not `[B, D]` with at least two samples of the model's size, or draws no whole number from 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), eq. 14 and appendix B
 */
export async function reverseBound(options: ReverseBoundOptions): Promise<ReverseBound | undefined> {
  const { model, x0, generator, draws = 1, stop = interruptToken } = options;
  const { T, dims } = model;
  if (x0.rank !== 2 || x0.shape[1] !== dims || x0.shape[0] < 2) {
    throw new Error(
      `x0 has shape [${x0.shape}]: the bound of this model needs [B, ${dims}] with at least two samples.`,
    );
  }
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new Error(`draws is ${draws}: use a whole number of at least 1.`);
  }
  const count = x0.shape[0];
  const term = compile(
    (clean: tf.Tensor, t: tf.Tensor1D, noise: tf.Tensor) =>
      tf.tidy(() => model.term(clean, model.noised(clean, t, noise), t)),
    { name: 'term of the bound' },
  );
  await ready();
  const priors = Float64Array.from(await taken(model.priorTerm(x0)));
  const nulls = await taken(model.nullBits(x0));
  const values = priors.map((bits) => -bits);
  const steps = new Float64Array(T);
  try {
    for (let t = 0; t < T; t++) {
      for (let draw = 0; draw < draws; draw++) {
        if (stop.stopped) return undefined;
        const noise = noiseOf(model, generator.fork('bound', t, draw), count);
        const at = tf.fill<tf.Rank.R1>([count], t, 'int32');
        const terms = await term.async(x0, at, noise).finally(() => tf.dispose([noise, at]));
        (await taken(terms)).forEach((bits, i) => {
          values[i] -= bits / draws;
          steps[t] += bits / draws / count;
        });
      }
    }
  } finally {
    term.dispose();
  }
  const bits = mean(values);
  const nullBits = mean(nulls);
  const variance = mean(values.map((value) => (value - bits) ** 2)) * (count / (count - 1));
  return {
    bits,
    standardError: Math.sqrt(variance / count),
    values,
    steps,
    prior: mean(priors),
    nullBits,
    gain: bits - nullBits,
  };
}

/** The values of a tensor, which is disposed of. */
async function taken(x: tf.Tensor): Promise<Float32Array> {
  const values = (await x.data()) as Float32Array;
  x.dispose();
  return values;
}
