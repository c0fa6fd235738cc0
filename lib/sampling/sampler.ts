/** What every sampler takes and yields. */
import { assertRunOptions, type RunOptions } from '../compile';
import { Generator, tf } from '../engine';
import { Denoiser, Schedule } from '../diffusion';
import { StopToken } from '../stop';
import { assertTimestepList } from './timesteps';

/** `eager` and `precision` say how the denoiser is run, if it is one of this library's networks, or declared `pure`. */
export interface SamplerOptions extends RunOptions {
  /** Predicts the noise in x_t. */
  denoiser: Denoiser;
  /** The schedule that the denoiser was trained with. */
  schedule: Schedule;
  /** What to make: n images `[n, 28, 28, 1]`, or n points `[n, dims]`. */
  shape: readonly number[];
  /** Source of x_T and of the noise of each step. */
  generator: Generator;
  /** The noise to begin with, of the given shape; it stays the caller's. Drawn from the generator by default. */
  xT?: tf.Tensor;
  /** Number of the first image in its series: images 64.. of a second batch have `firstSample: 64`. 0 by default. */
  firstSample?: number;
  /** The steps to make, falling, as from `timesteps({ T, steps })`; all, T-1..0, by default. */
  timesteps?: readonly number[];
  /**
   * Clip x0Hat to `clipRange` in every step, and step towards the clipped image. False by default: the notes clamp only
   * the final images. With it, errors of the denoiser cannot run away.
   */
  clipDenoised?: boolean;
  /** Smallest and largest value of the data (`dataset.range`); [-1, 1] by default for images. */
  clipRange?: readonly [number, number];
  /**
   * Steps from one yield to the next, 1 by default. A compiled denoiser makes them in one call of the engine, which
   * saves small networks the way to JavaScript and back. The samples do not depend on it.
   */
  every?: number;
  /** Looked at before every step (of a compiled denoiser: every call); when it says stopped, the sampler ends. By default the notebook's button ■. */
  stop?: StopToken;
}

/** Where a sampler is after one step. The tensors are valid until the next step is asked for; the sampler owns them. */
export interface SamplingState {
  /** The step that was just undone; counts down. */
  t: number;
  /** The step at whose noise level `xt` now is: the next in the list, or -1 (no noise) when the samples are finished. */
  tPrev: number;
  /** The chain after that step, x at `tPrev`, of the given shape: the finished samples when tPrev is -1. */
  xt: tf.Tensor;
  /** The x_0 that the denoiser saw in x_t, shaped as xt. */
  x0Hat: tf.Tensor;
  /** Calls of the denoiser so far ("number of function evaluations"). */
  nfe: number;
}

export type Sampler<Options extends SamplerOptions = SamplerOptions> = (
  options: Options,
) => AsyncGenerator<SamplingState, void, undefined>;

/** The bounds that clipping keeps, or undefined when it was not asked for. */
export function clipBounds({ shape, clipDenoised, clipRange }: SamplerOptions) {
  if (!clipDenoised) return undefined;
  const bounds = clipRange ?? (shape.length === 4 ? ([-1, 1] as const) : undefined);
  if (!bounds)
    throw new Error('clipDenoised needs clipRange for samples that are no images: give dataset.range.');
  return bounds;
}

/** Throws unless the options can be sampled with. */
export function assertSamplerOptions(options: SamplerOptions): void {
  const { shape, xT, firstSample = 0, every = 1, clipRange, schedule, timesteps } = options;
  if (
    (shape.length !== 4 && shape.length !== 2) ||
    !shape.every((size) => Number.isInteger(size) && size >= 1)
  ) {
    throw new Error(
      `shape is [${shape}]: give [count, height, width, channels] or [count, dims], whole numbers of at least 1.`,
    );
  }
  if (xT && String(xT.shape) !== String(shape)) {
    throw new Error(`xT has shape [${xT.shape}], but shape is [${shape}]: give one noise for each sample.`);
  }
  if (!Number.isInteger(firstSample) || firstSample < 0) {
    throw new Error(`firstSample is ${firstSample}: it must be a whole number of at least 0.`);
  }
  if (!Number.isInteger(every) || every < 1) {
    throw new Error(`every is ${every}: it must be a whole number of at least 1.`);
  }
  if (clipRange && !(clipRange[0] < clipRange[1])) {
    throw new Error(`clipRange is [${clipRange}]: give the smallest and the largest value of the data.`);
  }
  assertRunOptions(options);
  clipBounds(options);
  if (timesteps) assertTimestepList(timesteps, schedule.T);
}
