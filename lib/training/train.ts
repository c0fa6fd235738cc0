/**
 * The training loop (the notes' section "Training loop"; Ho et al. 2020, algorithm 1) as a generator: the caller draws
 * steps and decides what to print, plot or save between them.
 */
import { batchCount, batches, toBatch, type Dataset } from '../datasets';
import { noiseMse, qSample, sampleTimesteps, type Schedule } from '../diffusion';
import { tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';
import type { LearningRate } from './learningRate';
import { packGradients } from './packing';
import type { TrainingState } from './state';

export interface TrainOptions {
  /** Model, optimiser and EMA; goes on from `state.step`. */
  state: TrainingState;
  schedule: Schedule;
  dataset: Dataset;
  /** Everything random in step s depends on this, on s and on nothing else. */
  generator: Generator;
  /** Stop when `state.step` reaches this. */
  untilStep: number;
  /** Samples a step, default 128. */
  batchSize?: number;
  /**
   * Samples that are computed in one go, default the whole batch. The gradient of a step is the mean over its slices,
   * and the event loop gets its turn between them: smaller slices keep a notebook livelier and cost time.
   */
  sliceSize?: number;
  /** A constant or a function of the step, default 2e-4 (the notes'). */
  learningRate?: number | LearningRate;
  /** Ends the loop; a step that has begun is given up, or finished, but never half done. Default: the button ■. */
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

/** What one step works on: clean samples, their noise and their steps. */
interface Batch {
  x0: tf.Tensor;
  eps: tf.Tensor;
  t: tf.Tensor1D;
}

/** The batch of step `state.step`; the caller owns it. */
function drawBatch({ state, schedule, dataset, generator }: TrainOptions, indices: ArrayLike<number>): Batch {
  const x0 = toBatch(dataset, indices);
  const eps = generator.fork('eps', state.step).normal(x0.shape);
  const t = sampleTimesteps({
    generator: generator.fork('t', state.step),
    batchSize: indices.length,
    T: schedule.T,
  });
  return { x0, eps, t };
}

/** Noise x0, predict, compare: the loss of some rows of the batch, and its gradient as one vector (the caller's). */
function lossAndGradient({ state, schedule }: TrainOptions, batch: Batch, first: number, count: number) {
  const variables = [...state.model.parameters.values()];
  const rows = <X extends tf.Tensor>(x: X): X =>
    x.slice([first, ...new Array<number>(x.rank - 1).fill(0)], [count, ...x.shape.slice(1)]) as X;
  return tf.tidy(() => {
    const [x0, eps, t] = [rows(batch.x0), rows(batch.eps), rows(batch.t)];
    const xt = qSample({ schedule, x0, t, eps });
    const { value, grads } = tf.variableGrads(() => noiseMse(eps, state.model.predict(xt, t)), variables);
    return { loss: value.dataSync()[0], gradient: packGradients(variables, grads) };
  });
}

/**
 * The mean loss of the batch and its gradient, slice after slice, with a turn of the event loop before each. Undefined
 * if `stop` was set meanwhile; nothing has changed then.
 */
async function accumulate(options: TrainOptions, batch: Batch) {
  const count = batch.x0.shape[0];
  const { sliceSize = count, stop = interruptToken } = options;
  let loss = 0;
  let gradient: tf.Tensor1D | undefined;
  try {
    for (let first = 0; first < count; first += sliceSize) {
      await new Promise(setImmediate);
      if (stop.stopped) return undefined;
      const size = Math.min(sliceSize, count - first);
      const slice = lossAndGradient(options, batch, first, size);
      loss += slice.loss * (size / count);
      const sum = gradient;
      gradient = tf.tidy(() => {
        const share = size === count ? slice.gradient : tf.mul<tf.Tensor1D>(slice.gradient, size / count);
        return sum ? tf.add<tf.Tensor1D>(sum, share) : share.clone();
      });
      tf.dispose([slice.gradient, sum]);
    }
    const result = { loss, gradient: gradient! };
    gradient = undefined;
    return result;
  } finally {
    gradient?.dispose();
  }
}

/** One step: accumulate the gradient of the batch, then update. Returns the loss, or undefined if it was stopped. */
async function trainStep(
  options: TrainOptions,
  indices: ArrayLike<number>,
  rate: number,
): Promise<number | undefined> {
  const { state } = options;
  const batch = drawBatch(options, indices);
  try {
    const result = await accumulate(options, batch);
    if (!result) return undefined;
    state.adam.updatePacked(result.gradient, rate);
    state.ema.update();
    state.step += 1;
    result.gradient.dispose();
    return result.loss;
  } finally {
    tf.dispose([batch.x0, batch.eps, batch.t]);
  }
}

/**
 * Trains `state.model` to predict the noise, and yields after every step.
 *
 * The event loop gets its turn before each slice, so that output, a stop button and a notebook stay alive. Breaking out
 * of the loop is safe: `state` is whole after each step, and a later call goes on from it.
 *
 * @throws when the loss is not a finite number (the weights are lost then: lower the learning rate).
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainStep> {
  const {
    state,
    dataset,
    generator,
    untilStep,
    batchSize = 128,
    sliceSize,
    learningRate = 2e-4,
    stop = interruptToken,
  } = options;
  if (sliceSize !== undefined && !(Number.isInteger(sliceSize) && sliceSize >= 1)) {
    throw new Error(`sliceSize = ${sliceSize}: use a whole number of at least 1, or leave it out.`);
  }
  const rateAt: LearningRate = typeof learningRate === 'number' ? () => learningRate : learningRate;
  const perEpoch = batchCount(dataset, { batchSize });
  while (state.step < untilStep) {
    const epoch = Math.floor(state.step / perEpoch);
    let done = state.step % perEpoch;
    for (const indices of batches(dataset, { batchSize, generator, epoch })) {
      if (done-- > 0) continue;
      if (state.step >= untilStep || stop.stopped) return;
      const rate = rateAt(state.step);
      const loss = await trainStep(options, indices, rate);
      if (loss === undefined) return;
      if (!Number.isFinite(loss)) {
        throw new Error(
          `The loss is ${loss} at step ${state.step}: training diverged; use a smaller learningRate than ${rate}.`,
        );
      }
      yield { step: state.step, epoch, loss, learningRate: rate };
    }
  }
}
