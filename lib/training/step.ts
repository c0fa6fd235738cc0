/** The two halves of a training step, each one function on tensors that is compiled when it is first used. */
import { compile, type Compiled, type Precision, type RunOptions } from '../compile';
import { noiseMse, qSample, type Denoiser, type Schedule } from '../diffusion';
import { tf } from '../engine';
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

interface CompiledGradient {
  predict: Denoiser;
  schedule: Schedule;
  precision: Precision;
  compiled: Compiled<Parameters<Gradient>, LossAndGradient>;
}

/** The step's functions for one training state; what was compiled is kept from step to step. */
export class StepFunctions {
  private gradients: CompiledGradient[] = [];
  private readonly compiledUpdate = compile(this.applyUpdate.bind(this), { name: 'update' });

  constructor(
    private readonly adam: Adam,
    private readonly ema: Ema,
  ) {}

  /** Loss and gradient at some samples; the event loop goes on meanwhile, unless `eager`. Both are the caller's. */
  async gradient(
    what: { model: Model; schedule: Schedule },
    batch: Parameters<Gradient>,
    { eager = false, precision = 'float32' }: RunOptions,
  ): Promise<LossAndGradient> {
    const fn = gradientOf(what.model, what.schedule);
    if (eager) return tf.tidy(() => fn(...batch));
    const { schedule } = what;
    const { predict } = what.model;
    let known = this.gradients.find(
      (one) => one.predict === predict && one.schedule === schedule && one.precision === precision,
    );
    if (!known) {
      const compiled = compile(fn, { precision, name: 'training step' });
      this.gradients.push((known = { predict, schedule, precision, compiled }));
    }
    return known.compiled.async(...batch);
  }

  /** One update of weights, moments and average; the gradient stays the caller's. */
  update(gradient: tf.Tensor1D, learningRate: number, { eager = false }: RunOptions): void {
    const { rate, epsilon } = this.adam.next(learningRate);
    const share = this.ema.next();
    tf.tidy(() => {
      const numbers = tf.tensor1d([rate, epsilon, share]);
      if (eager) this.applyUpdate(gradient, numbers);
      else this.compiledUpdate(gradient, numbers);
    });
  }

  dispose(): void {
    for (const { compiled } of this.gradients) compiled.dispose();
    this.gradients = [];
    this.compiledUpdate.dispose();
  }

  private applyUpdate(gradient: tf.Tensor1D, numbers: tf.Tensor1D): tf.Tensor[] {
    const [rate, epsilon, share] = tf.unstack(numbers);
    this.adam.apply(gradient, { rate, epsilon });
    this.ema.apply(share);
    return [];
  }
}
