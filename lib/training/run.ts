/** A preset put to work: everything that `train` needs, from a recipe, a seed and a number of steps. */
import { batchCount, type Dataset } from '../datasets';
import { createSchedule, type Schedule } from '../diffusion';
import { createGenerator, type Generator } from '../engine';
import { createModel, type Preset } from '../models';
import type { RunInfo } from './checkpointFile';
import { warmupCosine, type LearningRate } from './learningRate';
import { createTrainingState, type TrainingState } from './state';
import type { TrainOptions } from './train';

export interface Run {
  info: RunInfo;
  /** Hand this to `train`. */
  options: TrainOptions & { schedule: Schedule; generator: Generator; state: TrainingState };
  /** Frees network, optimiser and average. */
  dispose(): void;
}

function freshState({ model: config, training }: Preset, generator: Generator): TrainingState {
  const model = createModel(config, generator.fork('model'));
  try {
    return createTrainingState({ model, emaDecay: training.emaDecay, adam: { clipNorm: training.clipNorm } });
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Prepares a run of `preset` on `dataset`; give `steps` or the preset's epochs (or `epochs`) count.
 *
 * Pass `state` (from `resumeTraining`) to go on with an interrupted run. The caller disposes the run.
 *
 * @throws when the preset, the batch size or the number of steps does not fit; nothing stays in memory then.
 */
export function startRun(options: {
  preset: Preset;
  dataset: Dataset;
  seed: number;
  epochs?: number;
  steps?: number;
  state?: TrainingState;
}): Run {
  const { preset, dataset, seed } = options;
  const { batchSize, sliceSize, learningRate, decay, eager, precision } = preset.training;
  const epochs = options.epochs ?? preset.training.epochs;
  const perEpoch = batchCount(dataset, { batchSize }); // first of all a check of the batch size
  const totalSteps = options.steps ?? Math.round(epochs * perEpoch);
  if (!Number.isInteger(totalSteps) || totalSteps < 1) {
    throw new Error(`The run has ${totalSteps} steps: give at least 1 step, or more epochs than ${epochs}.`);
  }
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new Error(`learningRate = ${learningRate}: use a number above 0, such as 2e-4.`);
  }
  const generator = createGenerator(seed);
  const schedule = createSchedule(preset.schedule);
  const warmup = Math.min(100, Math.floor(totalSteps / 10));
  const rate: number | LearningRate =
    decay === 'cosine' ? warmupCosine({ peak: learningRate, warmup, total: totalSteps }) : learningRate;
  const state = options.state ?? freshState(preset, generator);
  return {
    info: { preset, seed, totalSteps },
    options: {
      state,
      schedule,
      dataset,
      generator: generator.fork('train'),
      untilStep: totalSteps,
      batchSize,
      sliceSize,
      eager,
      precision,
      learningRate: rate,
    },
    dispose: () => {
      state.dispose();
      state.model.dispose();
    },
  };
}
