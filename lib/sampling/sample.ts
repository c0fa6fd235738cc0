import { tf } from '../engine';
import { DdpmOptions, ddpm } from './ddpm';
import { SamplingState, assertSamplerOptions } from './sampler';

/** How far `sample` is, over all of its batches. */
export interface SamplingProgress {
  /** Steps done, counting from 1. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** Number of the first image of the batch that is being made. */
  firstSample: number;
}

export interface SampleOptions extends DdpmOptions {
  /** Images made at a time, to bound memory; all at once by default. The images do not depend on it. */
  batchSize?: number;
  /** Called (and awaited) after every step with the state of the current batch, whose tensors it must not keep. */
  onStep?: (state: SamplingState, progress: SamplingProgress) => void | Promise<void>;
}

/**
 * Runs the ancestral sampler to its end and returns the images, clamped to [-1, 1].
 *
 * @returns images of the given shape; the caller owns them
 * @throws Error if an option is out of range, the denoiser returns another shape, or the run is stopped before its end
 * @see `ddpm` for the single steps; notes: "Sampling"
 */
export async function sample(options: SampleOptions): Promise<tf.Tensor> {
  assertSamplerOptions(options);
  const { shape, schedule, firstSample = 0, onStep, batchSize = shape[0] } = options;
  const [count, height, width, channels] = shape;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`batchSize is ${batchSize}: it must be a whole number of at least 1.`);
  }
  const steps = schedule.T * Math.ceil(count / batchSize);
  const batches: tf.Tensor[] = [];
  try {
    let step = 0;
    for (let done = 0; done < count; done += batchSize) {
      const first = firstSample + done;
      const size = Math.min(batchSize, count - done);
      let images: tf.Tensor | undefined;
      for await (const state of ddpm({
        ...options,
        shape: [size, height, width, channels],
        firstSample: first,
      })) {
        step++;
        if (state.t === 0) batches.push((images = state.xt.clipByValue(-1, 1)));
        await onStep?.(state, { step, steps, firstSample: first });
      }
      if (!images)
        throw new Error(`Sampling was stopped after ${step} of ${steps} steps: there are no images yet.`);
    }
    return tf.concat(batches);
  } finally {
    tf.dispose(batches);
  }
}
