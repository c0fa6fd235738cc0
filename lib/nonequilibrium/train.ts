/** Training of a reverse model: its bound, one random step for each sample. */
import { compile } from '../compile';
import { batchesFrom, toBatch, type PointDataset } from '../datasets';
import { integersFrom, ready, seedOf, tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';
import { Adam } from '../training/adam';
import { warmupCosine } from '../training/learningRate';
import { packGradients } from '../training/packing';
import type { ReverseModel } from './model';
import { noiseFrom, noiseSeed } from './noise';

export interface TrainReverseOptions {
  model: ReverseModel;
  dataset: PointDataset;
  /** Everything random in step s depends on this, on s and on nothing else. */
  generator: Generator;
  /** Number of steps. */
  steps: number;
  /** Samples a step, default 512. */
  batchSize?: number;
  /** The highest: it rises over the first 20th of the steps and falls to 0. Default 3e-3. */
  learningRate?: number;
  /** Ends the loop between two steps. Default: the button ■. */
  stop?: StopToken;
}

export interface TrainReverseStep {
  /** Steps done, this one included. */
  step: number;
  /** An estimate of the bound from this batch before its update, bits a sample; it scatters, for it has one t a sample. */
  bits: number;
}

/**
 * Raises the bound of a reverse model by Adam, and yields after every step. Each step is one compiled function; the loss is
 * `T term_t + prior term` with t uniform for each sample, whose mean is minus the bound.
 *
 * @throws Error if steps is no whole number of at least 1, the samples have another size, or the loss is not finite
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.4
 */
export async function* trainReverse(options: TrainReverseOptions): AsyncGenerator<TrainReverseStep> {
  const { model, dataset, generator, steps, learningRate = 3e-3, stop = interruptToken } = options;
  const { batchSize = Math.min(512, dataset.count) } = options;
  if (!(Number.isInteger(steps) && steps >= 1)) {
    throw new Error(`steps is ${steps}: use a whole number of at least 1.`);
  }
  if (dataset.dims !== model.dims) {
    throw new Error(
      `The samples of ${dataset.name} have ${dataset.dims} numbers, but the model is of ${model.dims}: make it with dims = ${dataset.dims}.`,
    );
  }
  const variables = [...model.parameters.values()];
  const adam = new Adam(variables);
  const rateAt = warmupCosine({ peak: learningRate, warmup: Math.ceil(steps / 20), total: steps + 1 });
  const update = compile(
    (x0: tf.Tensor, seeds: tf.Tensor1D, numbers: tf.Tensor1D): tf.Tensor => {
      const [ofT, ofNoise] = tf.split(seeds, 2);
      const t = integersFrom(ofT, [batchSize], model.T) as tf.Tensor1D;
      const xt = model.noised(x0, t, noiseFrom(model, ofNoise, batchSize));
      const loss = (): tf.Scalar => tf.mul(tf.mean(model.term(x0, xt, t)), model.T);
      const { value, grads } = tf.variableGrads(loss, variables);
      const [rate, epsilon] = tf.unstack(numbers);
      adam.apply(packGradients(variables, grads), { rate, epsilon });
      return tf.neg(tf.add(value, tf.mean(model.priorTerm(x0))));
    },
    { name: 'step of a reverse model' },
  );
  await ready();
  const order = batchesFrom(dataset, { batchSize, generator });
  try {
    for (let step = 0; step < steps && !stop.stopped; step++) {
      const x0 = toBatch(dataset, order.next().value.indices);
      const seeds = tf.tensor1d(
        [
          ...seedOf(generator.fork('t', step), 'integers', [batchSize]),
          ...noiseSeed(model, generator.fork('noise', step), batchSize),
        ],
        'int32',
      );
      const { rate, epsilon } = adam.numbers(rateAt(step));
      const numbers = tf.tensor1d([rate, epsilon]);
      const value = await update.async(x0, seeds, numbers).finally(() => tf.dispose([x0, seeds, numbers]));
      const [bits] = await value.data();
      value.dispose();
      adam.step += 1;
      if (!Number.isFinite(bits)) {
        throw new Error(
          `The bound is ${bits} at step ${step + 1}: training diverged; use a smaller learningRate than ${learningRate}.`,
        );
      }
      yield { step: step + 1, bits };
    }
  } finally {
    adam.dispose();
    update.dispose();
  }
}
