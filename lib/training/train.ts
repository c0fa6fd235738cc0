/**
 * The training loop (the notes' section "Training loop"; Ho et al. 2020, algorithm 1) as a generator: the caller draws
 * steps and decides what to print, plot or save between them.
 */
import { batchesFrom, toBatch, type Dataset } from '../datasets';
import { assertRunOptions, type RunOptions } from '../compile';
import { sampleTimesteps, type Schedule } from '../diffusion';
import { ready, seedOf, tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';
import type { LearningRate } from './learningRate';
import type { TrainingState } from './state';

/** `eager` and `precision` say how a step is computed: by default as one compiled function, in float32. */
export interface TrainOptions extends RunOptions {
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
   * Samples that are computed in one go, default the whole batch. The gradient of a step is the mean over its slices
   * ("gradient accumulation"): a batch that does not fit into memory can be trained on all the same.
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

/** Some rows of a batch; the caller owns them. */
function rowsOf({ x0, t, eps }: Batch, first: number, count: number): [tf.Tensor, tf.Tensor1D, tf.Tensor] {
  const rows = <X extends tf.Tensor>(x: X): X =>
    x.slice([first, ...new Array<number>(x.rank - 1).fill(0)], [count, ...x.shape.slice(1)]) as X;
  return [rows(x0), rows(t), rows(eps)];
}

/**
 * The mean loss of the batch and its gradient, slice after slice; the event loop gets its turn meanwhile. Undefined if
 * `stop` was set before the last slice; nothing has changed then.
 */
async function accumulate(options: TrainOptions, batch: Batch) {
  const { state, schedule, stop = interruptToken } = options;
  const count = batch.x0.shape[0];
  const { sliceSize = count } = options;
  let loss = 0;
  let gradient: tf.Tensor1D | undefined;
  try {
    for (let first = 0; first < count; first += sliceSize) {
      await new Promise(setImmediate);
      if (stop.stopped) return undefined;
      const size = Math.min(sliceSize, count - first);
      const rows = rowsOf(batch, first, size);
      const slice = await state.functions
        .gradient({ model: state.model, schedule }, rows, options)
        .finally(() => tf.dispose(rows));
      loss += (await slice.loss.data())[0] * (size / count);
      const sum = gradient;
      gradient = tf.tidy(() => {
        const share = size === count ? slice.gradient : tf.mul<tf.Tensor1D>(slice.gradient, size / count);
        return sum ? tf.add<tf.Tensor1D>(sum, share) : share.clone();
      });
      tf.dispose([slice.loss, slice.gradient, sum]);
    }
    const result = { loss, gradient: gradient! };
    gradient = undefined;
    return result;
  } finally {
    gradient?.dispose();
  }
}

/** The loss of one step, or undefined if it was stopped. */
type Step = (options: TrainOptions, indices: ArrayLike<number>, rate: number) => Promise<number | undefined>;

/** A step in parts: the gradient of slice after slice, then the update. */
const stepInParts: Step = async (options, indices, rate) => {
  const { state } = options;
  const batch = drawBatch(options, indices);
  try {
    const result = await accumulate(options, batch);
    if (!result) return undefined;
    state.functions.update(result.gradient, rate, options);
    result.gradient.dispose();
    return result.loss;
  } finally {
    tf.dispose([batch.x0, batch.eps, batch.t]);
  }
};

/** The same in one call, with the same random numbers. */
const wholeStep: Step = async ({ state, schedule, dataset, generator, precision }, indices, rate) => {
  const x0 = toBatch(dataset, indices);
  const seeds = tf.tensor1d(
    [
      ...seedOf(generator.fork('t', state.step), 'integers', [indices.length]),
      ...seedOf(generator.fork('eps', state.step), 'normal', x0.shape),
    ],
    'int32',
  );
  const network = { model: state.model, schedule };
  const loss = await state.functions
    .step(network, { x0, seeds }, { learningRate: rate, precision })
    .finally(() => tf.dispose([x0, seeds]));
  const [value] = await loss.data();
  loss.dispose();
  return value;
};

/**
 * Trains `state.model` to predict the noise, and yields after every step.
 *
 * Each step is a compiled function that runs on a thread of its own, so that output, a stop button and a notebook stay
 * alive; with `eager` the event loop has its turn between slices. Breaking out
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
  assertRunOptions(options);
  const inParts = options.eager || (sliceSize !== undefined && sliceSize < batchSize);
  const rateAt: LearningRate = typeof learningRate === 'number' ? () => learningRate : learningRate;
  const rest = batchesFrom(dataset, { batchSize, generator, step: state.step });
  await ready();
  for (const { epoch, indices } of rest) {
    if (state.step >= untilStep || stop.stopped) return;
    const rate = rateAt(state.step);
    const step = inParts ? stepInParts : wholeStep;
    const loss = await step(options, indices, rate);
    if (loss === undefined) return;
    state.step += 1;
    if (!Number.isFinite(loss)) {
      throw new Error(
        `The loss is ${loss} at step ${state.step}: training diverged; use a smaller learningRate than ${rate}.`,
      );
    }
    yield { step: state.step, epoch, loss, learningRate: rate };
  }
}
