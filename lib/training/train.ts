/**
 * The training loop (the notes' section "Training loop"; Ho et al. 2020, algorithm 1) as a generator: the caller draws
 * steps and decides what to print, plot or save between them.
 */
import { batchCount, batches, toBatch, type ImageDataset } from '../datasets';
import { noiseMse, qSample, sampleTimesteps, type Schedule } from '../diffusion';
import { tf, type Generator } from '../engine';
import type { StopToken } from '../stop';
import type { LearningRate } from './learningRate';
import type { TrainingState } from './state';

export interface TrainOptions {
  /** Model, optimiser and EMA; goes on from `state.step`. */
  state: TrainingState;
  schedule: Schedule;
  dataset: ImageDataset;
  /** Everything random in step s depends on this, on s and on nothing else. */
  generator: Generator;
  /** Stop when `state.step` reaches this. */
  untilStep: number;
  /** Images a step, default 128. */
  batchSize?: number;
  /** A constant or a function of the step, default 2e-4 (the notes'). */
  learningRate?: number | LearningRate;
  /** Ends the loop after the current step. */
  stop?: StopToken;
}

export interface TrainStep {
  /** Steps done, this one included. */
  step: number;
  /** Passes over the data begun, from 0. */
  epoch: number;
  /** Mean squared error of eps over this batch, before its update. */
  loss: number;
  learningRate: number;
}

/** One step: draw t and eps, noise x0, predict, compare, update. Returns the loss. */
function trainStep(options: TrainOptions, x0: tf.Tensor, rate: number): number {
  const { state, schedule, generator } = options;
  const variables = [...state.model.parameters.values()];
  return tf.tidy(() => {
    const t = sampleTimesteps({
      generator: generator.fork('t', state.step),
      batchSize: x0.shape[0],
      T: schedule.T,
    });
    const eps = generator.fork('eps', state.step).normal(x0.shape);
    const xt = qSample({ schedule, x0, t, eps });
    const { value, grads } = tf.variableGrads(() => noiseMse(eps, state.model.predict(xt, t)), variables);
    state.adam.update(grads, rate);
    state.ema.update();
    return value.dataSync()[0];
  });
}

/**
 * Trains `state.model` to predict the noise, and yields after every step.
 *
 * The event loop gets its turn after each step, so output, a stop button and a notebook stay alive. Breaking out of the
 * loop is safe: `state` is whole after each step, and a later call goes on from it.
 *
 * @throws when the loss is not a finite number (the weights are lost then: lower the learning rate).
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainStep> {
  const { state, dataset, generator, untilStep, batchSize = 128, learningRate = 2e-4, stop } = options;
  const rateAt: LearningRate = typeof learningRate === 'number' ? () => learningRate : learningRate;
  const perEpoch = batchCount(dataset, { batchSize });
  while (state.step < untilStep) {
    const epoch = Math.floor(state.step / perEpoch);
    let done = state.step % perEpoch;
    for (const indices of batches(dataset, { batchSize, generator, epoch })) {
      if (done-- > 0) continue;
      if (state.step >= untilStep || stop?.stopped) return;
      const rate = rateAt(state.step);
      const x0 = toBatch(dataset, indices);
      let loss: number;
      try {
        loss = trainStep(options, x0, rate);
      } finally {
        x0.dispose();
      }
      state.step += 1;
      if (!Number.isFinite(loss)) {
        throw new Error(
          `The loss is ${loss} at step ${state.step}: training diverged; use a smaller learningRate than ${rate}.`,
        );
      }
      yield { step: state.step, epoch, loss, learningRate: rate };
      await new Promise(setImmediate);
    }
  }
}
