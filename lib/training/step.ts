/** A training step, whole or in halves, as functions on tensors that are compiled when first used. */
import { compile, type Compiled, type Precision, type RunOptions } from '../compile';
import { noiseMse, qSample, type Denoiser, type Schedule } from '../diffusion';
import { integersFrom, normalFrom, SEED_SIZE, tf } from '../engine';
import type { Model } from '../models';
import type { Adam } from './adam';
import type { Ema } from './ema';
import { packGradients } from './packing';

/** Mean loss of some samples, and its gradient by all parameters as one vector. */
export type LossAndGradient = { loss: tf.Scalar; gradient: tf.Tensor1D };

type Gradient = (x0: tf.Tensor, t: tf.Tensor1D, eps: tf.Tensor) => LossAndGradient;

/** Noise x0, predict, compare: the loss and its gradient. */
const gradientOf =
  (model: Model, schedule: Schedule): Gradient =>
  (x0, t, eps) => {
    const variables = [...model.parameters.values()];
    const xt = qSample({ schedule, x0, t, eps });
    const { value, grads } = tf.variableGrads(() => noiseMse(eps, model.predict(xt, t)), variables);
    return { loss: value, gradient: packGradients(variables, grads) };
  };

/** Clean samples, the seeds of t and eps (`[12]` int32), and the numbers of an update; the loss. */
type Whole = (x0: tf.Tensor, seeds: tf.Tensor1D, numbers: tf.Tensor1D) => tf.Tensor;

/** What is compiled for one network and schedule. */
interface Known {
  predict: Denoiser;
  schedule: Schedule;
  precision: Precision;
  gradient: Compiled<Parameters<Gradient>, LossAndGradient>;
  whole: Compiled<Parameters<Whole>, tf.Tensor>;
}

interface Network {
  model: Model;
  schedule: Schedule;
}

/** The step's functions for one training state; what was compiled is kept from step to step. */
export class StepFunctions {
  private known: Known[] = [];
  private readonly compiledUpdate = compile(this.applyUpdate.bind(this), { name: 'update' });

  constructor(
    private readonly adam: Adam,
    private readonly ema: Ema,
  ) {}

  /** A whole step in one call, while the event loop goes on: noise, gradient, update. Returns the loss, the caller's. */
  async step(
    network: Network,
    batch: { x0: tf.Tensor; seeds: tf.Tensor1D },
    { learningRate, precision }: { learningRate: number; precision?: Precision },
  ): Promise<tf.Tensor> {
    const { whole } = this.compiledFor(network, precision);
    const numbers = this.numbers(learningRate);
    const loss = await whole.async(batch.x0, batch.seeds, numbers).finally(() => numbers.dispose());
    this.count();
    return loss;
  }

  /** Loss and gradient at some samples; the event loop goes on meanwhile, unless `eager`. Both are the caller's. */
  async gradient(
    network: Network,
    batch: Parameters<Gradient>,
    { eager = false, precision }: RunOptions,
  ): Promise<LossAndGradient> {
    if (eager) return tf.tidy(() => gradientOf(network.model, network.schedule)(...batch));
    return this.compiledFor(network, precision).gradient.async(...batch);
  }

  /** One update of weights, moments and average; the gradient stays the caller's. */
  update(gradient: tf.Tensor1D, learningRate: number, { eager = false }: RunOptions): void {
    const numbers = this.numbers(learningRate);
    if (eager) tf.tidy(() => this.applyUpdate(gradient, numbers));
    else this.compiledUpdate(gradient, numbers);
    numbers.dispose();
    this.count();
  }

  dispose(): void {
    for (const { gradient, whole } of this.known) [gradient, whole].forEach((each) => each.dispose());
    this.known = [];
    this.compiledUpdate.dispose();
  }

  /** The numbers of the next update, in the order in which `applyUpdate` reads them. */
  private numbers(learningRate: number): tf.Tensor1D {
    const { rate, epsilon } = this.adam.numbers(learningRate);
    return tf.tensor1d([rate, epsilon, this.ema.share()]);
  }

  private count(): void {
    this.adam.step += 1;
    this.ema.step += 1;
  }

  private applyUpdate(gradient: tf.Tensor1D, numbers: tf.Tensor1D): tf.Tensor[] {
    const [rate, epsilon, share] = tf.unstack(numbers);
    this.adam.apply(gradient, { rate, epsilon });
    this.ema.apply(share);
    return [];
  }

  private compiledFor({ model, schedule }: Network, precision: Precision = 'float32'): Known {
    const { predict } = model;
    const known = this.known.find(
      (one) => one.predict === predict && one.schedule === schedule && one.precision === precision,
    );
    if (known) return known;
    const gradient = gradientOf(model, schedule);
    const whole: Whole = (x0, seeds, numbers) => {
      const [seedOfT, seedOfEps] = tf.split(seeds, [SEED_SIZE, SEED_SIZE]);
      const t = integersFrom(seedOfT, [x0.shape[0]], schedule.T) as tf.Tensor1D;
      const result = gradient(x0, t, normalFrom(seedOfEps, x0.shape));
      this.applyUpdate(result.gradient, numbers);
      return result.loss;
    };
    const options = { precision, name: 'training step' };
    const made = { gradient: compile(gradient, options), whole: compile(whole, options) };
    this.known.push({ predict, schedule, precision, ...made });
    return this.known[this.known.length - 1];
  }
}
