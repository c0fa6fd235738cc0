/** What is measured, as plain data that also a worker in another language can read. */
import type { ScheduleConfig } from '../diffusion';
import type { ModelConfig, SamplingRecipe, TrainingRecipe } from '../models';

interface OnNetwork {
  model: ModelConfig;
  schedule: ScheduleConfig;
  /** Side of the square images. */
  imageSize: number;
  /** Images at a time. */
  batch: number;
}

/** One step: batch, noise, network, loss, gradient, optimiser, average. */
export interface TrainWorkload extends OnNetwork {
  kind: 'train';
  recipe: TrainingRecipe;
}

/** Steps of a sampler (an iteration makes `group` of them and reports the mean), or a whole sample. */
export interface SampleWorkload extends OnNetwork, SamplingRecipe {
  kind: 'sampleSteps' | 'sample';
  sampler: 'ddpm' | 'ddim';
  /** Network calls of a whole sample; left out: the schedule's. */
  steps?: number;
  group?: number;
}

/** A plain convolution with same padding, as fast as the engine can run it. */
export interface ConvolutionWorkload {
  kind: 'convolution';
  /** `[B, H, W, in]` */
  input: number[];
  /** `[h, w, in, out]` */
  kernel: number[];
  stride: number;
}

export type Workload = TrainWorkload | SampleWorkload | ConvolutionWorkload;

/** How a worker runs a workload; which of these it knows is its own matter. */
export interface Variant {
  eager?: boolean;
  precision?: 'float32' | 'bfloat16';
  channelsLast?: boolean;
  bfloat16?: boolean;
  compile?: boolean;
  /** Kinds of Adam, of which the worker keeps the fastest. */
  adam?: string[];
}
