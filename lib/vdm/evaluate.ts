/** How good a variational diffusion model is on held-out samples, in bits per dimension, and its error level by level. */
import { compile, isPure } from '../compile';
import { ready, tf, type Generator } from '../engine';
import { bitsPerDimOf, type BitsPerDim } from '../likelihood';
import { samplesOf, type Samples, type SampleSource } from '../likelihood/samples';
import { meanBits } from '../likelihood/statistics';
import { interruptToken, type StopToken } from '../stop';
import { assertTimeDraws, drawsFor, type TimeDraws } from './draws';
import { checkLossOptions, noiseError, vdmTerms, type VdmLossOptions } from './loss';
import type { GammaDenoiser } from './tensors';

/** What to evaluate, and how many samples of it: `dataset` or `x0` (the caller's), `count`, `batchSize` (256 by default). */
interface Evaluation extends SampleSource {
  /** Source of everything random; hand over the same one for values that are to be compared. */
  generator: Generator;
  /** Looked at before each call of the denoiser; when it says stopped, the result is undefined. Default: the button ■. */
  stop?: StopToken;
}

export interface VdmEvaluationOptions extends VdmLossOptions, Evaluation {
  /** Times that each sample is looked at, default 1. */
  draws?: number;
  /** Default 'antithetic' over each batch. */
  times?: TimeDraws;
}

export interface VdmEvaluation extends BitsPerDim {
  prior: BitsPerDim;
  reconstruction: BitsPerDim;
  diffusion: BitsPerDim;
  /** The bound of each sample, in bits per dimension. */
  values: Float64Array;
  /** Variance of the diffusion loss of one sample at one time, nats squared: what a training step averages over. */
  diffusionVariance: number;
  dims: number;
  count: number;
}

/** A compiled function if the denoiser allows it, or else op by op; `dispose` frees it. */
function runnable<Args extends tf.Tensor[], R extends tf.Tensor | tf.Tensor[]>(
  denoiser: GammaDenoiser,
  fn: (...args: Args) => R,
): { call: (...args: Args) => Promise<R>; dispose(): void } {
  if (!isPure(denoiser)) return { call: async (...args) => fn(...args), dispose: () => undefined };
  const compiled = compile(fn);
  return { call: (...args) => compiled.async(...args), dispose: () => compiled.dispose() };
}

/**
 * The bound on `-log2 p(x) / dims` of held-out samples and its three terms, with standard errors; without bias, however many
 * times are drawn. With antithetic times the samples of a batch belong together, and the errors are from the scatter of
 * the means of batches: use a dozen batches or more.
 *
 * @returns undefined if it was stopped
 * @throws Error if an option does not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), eq. 11
 */
export async function evaluateVdm(options: VdmEvaluationOptions): Promise<VdmEvaluation | undefined> {
  const { generator, draws = 1, times = 'antithetic', stop = interruptToken, batchSize = 256 } = options;
  checkLossOptions(options);
  assertTimeDraws(times);
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new Error(`draws is ${draws}: use a whole number of at least 1.`);
  }
  const samples = samplesOf({ ...options, batchSize });
  const terms = runnable(
    options.denoiser,
    (x0: tf.Tensor, t: tf.Tensor1D, eps: tf.Tensor, eps0: tf.Tensor) => {
      const { prior, reconstruction, diffusion } = vdmTerms({ ...options, x0, times: t, eps, eps0 });
      return [prior, reconstruction, diffusion];
    },
  );
  const sums = Array.from({ length: 3 }, () => new Float64Array(samples.count));
  const single: number[] = [];
  await ready();
  try {
    for (const part of samples.parts) {
      const x0 = samples.batch(part);
      try {
        for (let draw = 0; draw < draws; draw++) {
          await new Promise(setImmediate);
          if (stop.stopped) return undefined;
          const own = { generator: generator.fork('draw', draw), firstSample: part.first };
          const drawn = await drawsFor({ ...own, shape: x0.shape, times });
          const inputs = [drawn.times, drawn.eps, drawn.eps0] as const;
          const found = await terms.call(x0, ...inputs).finally(() => tf.dispose([...inputs]));
          const values = await Promise.all(found.map((each) => each.data()));
          tf.dispose(found);
          values.forEach((list, k) => list.forEach((value, i) => (sums[k][part.first + i] += value / draws)));
          single.push(...values[2]);
        }
      } finally {
        x0.dispose();
      }
    }
  } finally {
    terms.dispose();
  }
  const { dims, count } = samples;
  const [prior, reconstruction, diffusion] = sums;
  const total = prior.map((value, i) => value + reconstruction[i] + diffusion[i]);
  const bits = (nats: Float64Array): BitsPerDim =>
    times === 'antithetic' && samples.parts.length > 1 ? bitsOfParts(nats, samples) : meanBits(nats, dims);
  return {
    ...bits(total),
    prior: bits(prior),
    reconstruction: bits(reconstruction),
    diffusion: bits(diffusion),
    values: total.map((value) => value / (dims * Math.LN2)),
    diffusionVariance: varianceOf(single),
    dims,
    count,
  };
}

/** Mean of nats with the error from the scatter of batches, each as much worth as it has samples. */
function bitsOfParts(nats: Float64Array, { parts, count, dims }: Samples): BitsPerDim {
  const mean = nats.reduce((sum, value) => sum + value, 0) / count;
  const squares = parts.reduce((sum, { first, size }) => {
    const part = nats.subarray(first, first + size);
    return sum + part.reduce((excess, value) => excess + value - mean, 0) ** 2;
  }, 0);
  const standardError = Math.sqrt((squares * parts.length) / (parts.length - 1)) / count;
  return { bitsPerDim: bitsPerDimOf(mean, dims), standardError: bitsPerDimOf(standardError, dims) };
}

function varianceOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/** The error of the noise at one level: the mean of `|eps - epsHat|^2` over samples, a sum over all coordinates. */
export interface LevelError {
  gamma: number;
  error: number;
  standardError: number;
  /** The root of the mean of `|eps - epsHat|^4`: the slope with the least variance is in proportion to its inverse. */
  rms: number;
}

/**
 * The error of the noise level by level: the height of the curve whose area is the diffusion loss (`lossOverGamma`). The
 * same noise at every level, so that the curve is smooth.
 *
 * @param o.gammas levels
 * @returns one row a level; undefined if it was stopped
 * @throws Error if the samples do not fit
 */
export async function errorByLevel(
  o: Evaluation & { denoiser: GammaDenoiser; gammas: readonly number[] },
): Promise<LevelError[] | undefined> {
  const { denoiser, gammas, generator, stop = interruptToken } = o;
  const samples = samplesOf({ ...o, batchSize: o.batchSize ?? 256 });
  const one = runnable(denoiser, (x0: tf.Tensor, eps: tf.Tensor, gamma: tf.Tensor) =>
    noiseError({ x0, eps, gamma: tf.mul(gamma, tf.ones([x0.shape[0]])) as tf.Tensor1D, denoiser }),
  );
  const rows = gammas.map((gamma) => ({ gamma, errors: new Float64Array(samples.count) }));
  await ready();
  try {
    for (const { first, size } of samples.parts) {
      const x0 = samples.batch({ first, size });
      const eps = generator.fork('eps').normal(x0.shape, { firstSample: first });
      try {
        for (const { gamma, errors } of rows) {
          await new Promise(setImmediate);
          if (stop.stopped) return undefined;
          const level = tf.scalar(gamma);
          const found = await one.call(x0, eps, level).finally(() => level.dispose());
          errors.set(await found.data(), first);
          found.dispose();
        }
      } finally {
        tf.dispose([x0, eps]);
      }
    }
  } finally {
    one.dispose();
  }
  return rows.map(({ gamma, errors }) => {
    const { length } = errors;
    const error = errors.reduce((sum, value) => sum + value, 0) / length;
    const rms = Math.sqrt(errors.reduce((sum, value) => sum + value ** 2, 0) / length);
    return { gamma, error, standardError: Math.sqrt(varianceOf([...errors]) / length), rms };
  });
}
