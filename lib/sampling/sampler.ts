/** What every sampler takes and yields. */
import { assertRunOptions, derived, run, type RunOptions } from '../compile';
import { Generator, ready, tf } from '../engine';
import { Denoiser, Schedule, x0Coefficients } from '../diffusion';
import { StopToken, interruptToken } from '../stop';
import { assertTimestepList, respace } from './timesteps';

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
  /** Looked at before every step; when it says stopped, the sampler ends. By default the notebook's button ■. */
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
  const { shape, xT, firstSample = 0, clipRange, schedule, timesteps } = options;
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
  if (clipRange && !(clipRange[0] < clipRange[1])) {
    throw new Error(`clipRange is [${clipRange}]: give the smallest and the largest value of the data.`);
  }
  assertRunOptions(options);
  clipBounds(options);
  if (timesteps) assertTimestepList(timesteps, schedule.T);
}

/**
 * One step of a sampler as numbers: `x <- xt xt + eps eps + x0Hat x0Hat + z z`, left-out weights being 0. Every sampler
 * here is such a sum; only the weights tell them apart.
 */
export interface StepWeights {
  xt?: number;
  /** Of the noise that the denoiser sees in xt. */
  eps?: number;
  /** Of the x_0 that xt and eps imply, clipped if asked for. */
  x0Hat?: number;
  /** Of fresh standard normal noise. */
  z?: number;
}

/**
 * The loop of every sampler here: noise at first, then one call of the denoiser and one weighted sum for each entry of
 * the list.
 *
 * @param weights of step i of the list's own schedule (see `respace`), counted from the end: the last step is i = 0.
 *   `clipped` says whether x0Hat was clipped, so that it and eps no longer agree.
 */
export async function* chain(
  options: SamplerOptions,
  weights: (schedule: Schedule, i: number, clipped: boolean) => StepWeights,
): AsyncGenerator<SamplingState, void, undefined> {
  const { generator, firstSample = 0, stop = interruptToken, denoiser } = options;
  const shape = [...options.shape];
  const list =
    options.timesteps ?? Array.from({ length: options.schedule.T }, (_, i) => options.schedule.T - 1 - i);
  const schedule = respace(options.schedule, list);
  const bounds = clipBounds(options);
  const step = derived(denoiser, 'sampling step', stepOf);
  await ready();
  let xt = options.xT?.clone() ?? generator.fork('x_T').normal(shape, { firstSample });
  let x0Hat: tf.Tensor | undefined;
  try {
    for (const [done, t] of list.entries()) {
      await nextTurn();
      if (stop.stopped) return;
      const i = list.length - 1 - done;
      const w = weights(schedule, i, bounds !== undefined);
      const inputs = tf.tidy((): Parameters<ReturnType<typeof stepOf>> => [
        xt.clone(),
        tf.fill<tf.Rank.R1>([shape[0]], t, 'int32'),
        // Without noise any tensor of this shape will do: its weight is 0.
        w.z ? generator.fork('z', t).normal(shape, { firstSample }) : xt.clone(),
        numbersOf(x0Coefficients(schedule, i), w, bounds),
      ]);
      const after = await run(step, inputs, options).finally(() => tf.dispose(inputs));
      tf.dispose([xt, x0Hat]);
      ({ xt, x0Hat } = after);
      yield { t, tPrev: list[done + 1] ?? -1, xt, x0Hat, nfe: done + 1 };
    }
  } finally {
    tf.dispose([xt, x0Hat]);
  }
}

/** The numbers of one step, in the order in which `stepOf` reads them. */
function numbersOf(
  toX0: { xt: number; eps: number },
  { xt = 0, eps = 0, x0Hat = 0, z = 0 }: StepWeights,
  [low, high]: readonly [number, number] = [-Infinity, Infinity],
): tf.Tensor1D {
  return tf.tensor1d([toX0.xt, toX0.eps, low, high, xt, eps, x0Hat, z]);
}

/** One step on tensors alone, so that it can be compiled, once for all steps and all samplers. */
function stepOf(denoiser: Denoiser) {
  return (xt: tf.Tensor, t: tf.Tensor1D, z: tf.Tensor, numbers: tf.Tensor1D) => {
    const eps = denoiser(xt, t);
    assertNoise(eps, xt);
    const [ofXt, ofEps, low, high, ...w] = tf.unstack(numbers);
    const raw = tf.add(tf.mul(xt, ofXt), tf.mul(eps, ofEps));
    const x0Hat = tf.maximum(tf.minimum(raw, high), low);
    return { xt: tf.addN([xt, eps, x0Hat, z].map((x, k) => tf.mul(x, w[k]))), x0Hat };
  };
}

/** Throws unless what a denoiser returned is noise for xt. */
function assertNoise(eps: unknown, xt: tf.Tensor): void {
  if (eps instanceof tf.Tensor && String(eps.shape) === String(xt.shape)) return;
  const isPromise = typeof (eps as Promise<unknown> | undefined)?.then === 'function';
  const what =
    eps instanceof tf.Tensor
      ? `a tensor of shape [${eps.shape}]`
      : isPromise
        ? 'a promise (it must not be async)'
        : String(eps);
  throw new Error(
    `denoiser returned ${what} for samples of shape [${xt.shape}]: it must return noise of that shape.`,
  );
}

/** Lets timers, input and output have their turn: nothing else runs while a loop only computes. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
