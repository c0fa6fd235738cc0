/** All that changes while a model trains, in one place that can be saved and freed. */
import type { Model } from '../models';
import { Adam, type AdamOptions } from './adam';
import { Ema } from './ema';
import { StepFunctions } from './step';

export interface TrainingState {
  readonly model: Model;
  readonly adam: Adam;
  readonly ema: Ema;
  /** What a step computes, compiled when first used. */
  readonly functions: StepFunctions;
  /** Steps done. */
  step: number;
  /** Frees optimiser, EMA and functions; the model stays its owner's. */
  dispose(): void;
}

/**
 * A fresh state for `model`; `emaDecay` defaults to 0.999. The caller disposes the state.
 *
 * @throws when a decay, epsilon or clipNorm is out of range.
 */
export function createTrainingState(options: {
  model: Model;
  adam?: AdamOptions;
  emaDecay?: number;
}): TrainingState {
  const { model, emaDecay = 0.999 } = options;
  const variables = [...model.parameters.values()];
  const ema = new Ema(variables, emaDecay);
  let adam: Adam;
  try {
    adam = new Adam(variables, options.adam);
  } catch (error) {
    ema.dispose();
    throw error;
  }
  const functions = new StepFunctions(adam, ema);
  return {
    model,
    adam,
    ema,
    functions,
    step: 0,
    dispose: () => {
      functions.dispose();
      adam.dispose();
      ema.dispose();
    },
  };
}
