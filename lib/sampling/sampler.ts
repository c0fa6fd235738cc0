/** What every sampler takes and yields. */
import { Generator, tf } from '../engine';
import { Denoiser, Schedule } from '../diffusion';
import { StopToken } from '../stop';

export type ImageShape = [count: number, height: number, width: number, channels: number];

export interface SamplerOptions {
  /** Predicts the noise in x_t. */
  denoiser: Denoiser;
  /** The schedule that the denoiser was trained with. */
  schedule: Schedule;
  /** Images to make, `[n, 28, 28, 1]`. */
  shape: ImageShape;
  /** Source of x_T and of the noise of each step. */
  generator: Generator;
  /** Number of the first image in its series: images 64.. of a second batch have `firstSample: 64`. 0 by default. */
  firstSample?: number;
  /** Looked at before every step; when it says stopped, the sampler ends. */
  stop?: StopToken;
}

/** Where a sampler is after one step. The tensors are valid until the next step is asked for; the sampler owns them. */
export interface SamplingState {
  /** The step that was just undone; counts down, 0 at the last. */
  t: number;
  /** The chain after that step, x_{t-1} `[n, 28, 28, 1]`: the finished images when t = 0. */
  xt: tf.Tensor;
  /** The image that the denoiser saw in x_t, shaped as xt. */
  x0Hat: tf.Tensor;
  /** Calls of the denoiser so far ("number of function evaluations"). */
  nfe: number;
}

export type Sampler<Options extends SamplerOptions = SamplerOptions> = (
  options: Options,
) => AsyncGenerator<SamplingState, void, undefined>;

/** Throws unless shape and firstSample can be sampled. */
export function assertSamplerOptions({ shape, firstSample = 0 }: SamplerOptions): void {
  if (shape.length !== 4 || !shape.every((size) => Number.isInteger(size) && size >= 1)) {
    throw new Error(
      `shape is [${shape}]: give [count, height, width, channels], whole numbers of at least 1.`,
    );
  }
  if (!Number.isInteger(firstSample) || firstSample < 0) {
    throw new Error(`firstSample is ${firstSample}: it must be a whole number of at least 0.`);
  }
}

/** Calls the denoiser on a batch whose samples are all at step t, and checks what comes back; use inside `tf.tidy`. */
export function predictNoise(denoiser: Denoiser, xt: tf.Tensor, t: number): tf.Tensor {
  const eps = denoiser(xt, tf.fill([xt.shape[0]], t, 'int32'));
  if (eps instanceof tf.Tensor && String(eps.shape) === String(xt.shape)) return eps;
  throw new Error(
    `denoiser returned ${describe(eps)} for images of shape [${xt.shape}]: it must return noise of that shape.`,
  );
}

function describe(returned: unknown): string {
  if (returned instanceof tf.Tensor) return `a tensor of shape [${returned.shape}]`;
  const isPromise = typeof (returned as Promise<unknown> | undefined)?.then === 'function';
  return isPromise ? 'a promise (it must not be async)' : String(returned);
}

/** Lets timers, input and output have their turn: nothing else runs while a loop only computes. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
