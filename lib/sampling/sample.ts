import { ready, tf } from '../engine';
import { DdimOptions, ddim } from './ddim';
import { DdpmOptions, ddpm } from './ddpm';
import { Sampler, SamplerOptions, SamplingState, assertSamplerOptions } from './sampler';

/** How far `sample` is, over all of its batches. */
export interface SamplingProgress {
  /** Steps done, counting from 1. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** Number of the first sample of the batch that is being made. */
  firstSample: number;
}

export interface SampleOptions
  extends SamplerOptions, Pick<DdpmOptions, 'variance'>, Pick<DdimOptions, 'eta'> {
  /** `'ddpm'` (the default), `'ddim'`, or any function of that kind. */
  sampler?: 'ddpm' | 'ddim' | Sampler;
  /**
   * Samples made at a time, to bound memory and the time in which nothing else gets its turn; 64 images, or all points,
   * by default. The samples do not depend on it.
   */
  batchSize?: number;
  /**
   * Called (and awaited) after every step, or every `every` steps, with the state of the current batch, whose tensors it
   * must not keep.
   */
  onStep?: (state: SamplingState, progress: SamplingProgress) => void | Promise<void>;
}

/** Steps in one call where nobody looks at them: few enough to notice a stop soon. */
const STEPS_AT_A_TIME = 10;

/** Images of a batch by default: a call of a small U-Net stays below a tenth of a second on two cores. */
const IMAGES_AT_A_TIME = 64;

/**
 * Runs a sampler to its end and returns the samples; images are clamped to `clipRange` ([-1, 1] by default), points only
 * if it is given.
 *
 * @returns samples of the given shape; the caller owns them
 * @throws Error if an option is out of range or does not belong to the sampler, the denoiser returns another shape, or
 *   the run is stopped before its end
 * @see `ddpm` and `ddim` for the single steps; notes: "Sampling"
 */
export async function sample(options: SampleOptions): Promise<tf.Tensor> {
  assertSamplerOptions(options);
  const run = samplerOf(options);
  const { shape, xT, schedule, timesteps, firstSample = 0, onStep } = options;
  const [count, ...sampleShape] = shape;
  const images = shape.length === 4;
  const { batchSize = images ? IMAGES_AT_A_TIME : count, clipRange = images ? [-1, 1] : undefined } = options;
  const { every = onStep ? 1 : STEPS_AT_A_TIME } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`batchSize is ${batchSize}: it must be a whole number of at least 1.`);
  }
  const steps = (timesteps?.length ?? schedule.T) * Math.ceil(count / batchSize);
  await ready();
  const batches: tf.Tensor[] = [];
  const held: tf.Tensor[] = [];
  try {
    let step = 0;
    for (let done = 0; done < count; done += batchSize) {
      const first = firstSample + done;
      const size = Math.min(batchSize, count - done);
      const noise = xT?.slice(done, size);
      if (noise) held.push(noise);
      let finished = false;
      const before = step;
      const batch = { ...options, every, shape: [size, ...sampleShape], xT: noise, firstSample: first };
      for await (const state of run(batch)) {
        step = before + (timesteps ? timesteps.indexOf(state.t) + 1 : schedule.T - state.t);
        if (state.tPrev < 0) {
          finished = true;
          batches.push(clipRange ? state.xt.clipByValue(clipRange[0], clipRange[1]) : state.xt.clone());
        }
        await onStep?.(state, { step, steps, firstSample: first });
      }
      if (!finished)
        throw new Error(`Sampling was stopped after ${step} of ${steps} steps: there are no images yet.`);
    }
    const samples = tf.concat(batches);
    // Here, where nobody minds the wait: WebGPU cannot read at once, as pictures are made.
    await samples.data();
    return samples;
  } finally {
    tf.dispose([batches, held]);
  }
}

/** The sampler that the options name. `variance`, which a preset's recipe always carries, means nothing to ddim. */
function samplerOf({ sampler = 'ddpm', eta }: SampleOptions): Sampler<SampleOptions> {
  if (typeof sampler === 'function') return sampler;
  if (sampler !== 'ddpm' && sampler !== 'ddim') {
    throw new Error(`sampler is '${String(sampler)}': choose 'ddpm' or 'ddim', or pass a sampler.`);
  }
  if (sampler === 'ddpm' && eta !== undefined) {
    throw new Error(`eta is ${eta}, but the sampler is ddpm: choose sampler: 'ddim', or leave eta out.`);
  }
  return sampler === 'ddim' ? ddim : ddpm;
}
