/** What is evaluated: a dataset or a tensor, and how. */
import type { RunOptions } from '../compile';
import { sampleShape, toBatch, type Dataset } from '../datasets';
import type { Denoiser, Schedule } from '../diffusion';
import { tf, type Generator } from '../engine';
import type { StopToken } from '../stop';

/** `eager` and `precision` say how the denoiser is run, if it is one of this library's networks, or declared `pure`. */
export interface EvaluationOptions extends RunOptions {
  /** Predicts the noise in x_t. */
  denoiser: Denoiser;
  /** The schedule that the denoiser was trained with. */
  schedule: Schedule;
  /** What to evaluate, such as `loadMnist().test`; this or `x0`. */
  dataset?: Dataset;
  /** Images `[B, H, W, C]` in [-1, 1], or points `[B, D]`; they stay the caller's. */
  x0?: tf.Tensor;
  /** Source of everything random; hand over the same one for values that are to be compared. */
  generator: Generator;
  /** Samples of the dataset used, from the first; all by default. */
  count?: number;
  /** Samples at a time, 32 by default. */
  batchSize?: number;
  /** Looked at before each call of the denoiser; when it says stopped, the result is undefined. Default: the button ■. */
  stop?: StopToken;
  /** Called after each call of the denoiser, with how many there were and how many there will be. */
  onProgress?: (nfe: number, total: number) => void;
}

/** Where samples come from, and how many at a time. */
export type SampleSource = Pick<EvaluationOptions, 'dataset' | 'x0' | 'count' | 'batchSize'>;

/** The samples behind the options. */
export interface Samples {
  count: number;
  /** Of one sample. */
  shape: number[];
  /** Values of one sample: all pixels times channels, or the coordinates of a point. */
  dims: number;
  isImages: boolean;
  /** The first index and the number of samples of each batch. */
  parts: { first: number; size: number }[];
  /** A part as `[size, ...shape]`, for the caller to dispose. */
  batch(part: { first: number; size: number }): tf.Tensor;
}

/** @throws Error unless there is one source of samples, and count and batchSize fit it */
export function samplesOf(options: SampleSource): Samples {
  const { dataset, x0, batchSize = 32 } = options;
  if ((dataset === undefined) === (x0 === undefined)) {
    throw new Error('Give either dataset or x0: what the likelihood is of.');
  }
  if (x0 && x0.rank !== 2 && x0.rank !== 4) {
    throw new Error(`x0 has shape [${x0.shape}]: it must be images [B, H, W, C] or points [B, D].`);
  }
  const available = x0 ? x0.shape[0] : (dataset as Dataset).count;
  const { count = available } = options;
  for (const [name, value] of Object.entries({ count, batchSize })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new Error(`${name} is ${value}: use a whole number of at least 1.`);
    }
  }
  if (count > available) throw new Error(`count is ${count}, but there are only ${available} samples.`);
  const shape = x0 ? x0.shape.slice(1) : sampleShape(dataset as Dataset);
  return {
    count,
    shape,
    dims: shape.reduce((product, length) => product * length, 1),
    isImages: shape.length === 3,
    parts: Array.from({ length: Math.ceil(count / batchSize) }, (_, i) => ({
      first: i * batchSize,
      size: Math.min(batchSize, count - i * batchSize),
    })),
    batch: ({ first, size }) =>
      x0
        ? tf.slice(x0, first, size)
        : toBatch(
            dataset as Dataset,
            Array.from({ length: size }, (_, i) => first + i),
          ),
  };
}

/** Throws unless every value is one of the 256 grey levels of an image in [-1, 1]. */
export async function assertGreyLevels(x0: tf.Tensor): Promise<void> {
  const values = await x0.data();
  const wrong = values.findIndex((x) => {
    const level = (x + 1) * 127.5;
    return !(Math.abs(level - Math.round(level)) < 1e-3 && level > -0.5 && level < 255.5);
  });
  if (wrong < 0) return;
  throw new Error(
    `Value ${wrong} of the images is ${values[wrong]}, which is no grey level: bytes must become byte / 127.5 - 1, in ` +
      '[-1, 1] and without noise (fromPixels does that).',
  );
}
