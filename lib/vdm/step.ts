/**
 * One training step. The network goes back and forth once; what the loss of each sample says about its own level and weight
 * is kept, and goes on into the schedule's variables from there, to two different ends:
 *
 * - the ends of gamma follow the bound, like the network;
 * - in continuous time the bound does not depend on what lies between. It follows the variance of the estimate: the gradient
 *   of `E[L^2]` is `E[2 L grad L]`, as the mean of L stays.
 */
import { compile } from '../compile';
import { tf } from '../engine';
import { packGradients } from '../training/packing';
import { diffusionTerm, endTerms, levelAndWeight, type VdmBatch, type VdmLossOptions } from './loss';
import { scheduleVariables, type StepFunction, type VdmState } from './state';

/** What moves the interior of gamma: the variance of the loss, the bound itself (with T steps), or nothing. */
export type InteriorObjective = 'variance' | 'bound' | 'none';

export interface StepOptions extends Omit<VdmLossOptions, 'schedule' | 'denoiser'> {
  interior: InteriorObjective;
}

/** Means over the batch, and all gradients. */
interface Outcome {
  means: tf.Tensor1D;
  network: tf.Tensor1D;
  schedule?: tf.Tensor1D;
}

/** Loss and gradients of a batch; within `tf.tidy`, or recorded. */
export function gradientsOf(
  { network, schedule }: Pick<VdmState, 'network' | 'schedule'>,
  options: StepOptions,
  batch: VdmBatch,
): Outcome {
  const { T, interior } = options;
  const loss: VdmLossOptions = { ...options, schedule, denoiser: network.predict };
  const variables = [...network.parameters.values()];
  const { gamma, weight } = levelAndWeight({ schedule, times: batch.times, T });
  const count = batch.x0.shape[0];

  // All losses side by side, not their mean: a gradient by a level is then that of its own sample's loss.
  const { value, grads } = tf.valueAndGrads((level: tf.Tensor, factor: tf.Tensor) =>
    diffusionTerm(loss, batch, { gamma: level as tf.Tensor1D, weight: factor as tf.Tensor1D }),
  )([gamma, weight, ...variables]);
  const [byGamma, byWeight, ...byVariables] = grads;
  const named = Object.fromEntries(variables.map(({ name }, i) => [name, byVariables[i]]));
  const ofNetwork = tf.div(packGradients(variables, named), count) as tf.Tensor1D;

  const { prior, reconstruction } = endTerms(loss, batch);
  const means = [prior, reconstruction, value, tf.square(value)].map((each) => tf.mean(each));
  const learned = scheduleVariables(schedule);
  const outcome = { means: tf.stack(means) as tf.Tensor1D, network: ofNetwork };
  if (learned.length === 0) return outcome;

  /** A scalar whose gradient by the schedule is that of the mean of the losses, each times `share`. */
  const surrogate = (share?: tf.Tensor): tf.Scalar => {
    const now = levelAndWeight({ schedule, times: batch.times, T });
    const change = tf.add(tf.mul(now.gamma, byGamma), tf.mul(now.weight, byWeight));
    return tf.mean(share ? tf.mul(change, share) : change);
  };
  const bound = (): tf.Scalar => {
    const { prior, reconstruction } = endTerms(loss, batch);
    return tf.add(surrogate(), tf.mean(tf.add(prior, reconstruction)));
  };
  const gradients = (f: () => tf.Scalar, of: ReadonlyMap<string, tf.Variable>): tf.NamedTensorMap =>
    of.size > 0 ? tf.variableGrads(f, [...of.values()]).grads : {};
  const ofInterior = {
    variance: () => gradients(() => surrogate(tf.mul(value, 2)), schedule.interior),
    bound: () => gradients(bound, schedule.interior),
    none: () => Object.fromEntries([...schedule.interior.values()].map((v) => [v.name, tf.zerosLike(v)])),
  }[interior]();
  return {
    ...outcome,
    schedule: packGradients(learned, { ...gradients(bound, schedule.ends), ...ofInterior }),
  };
}

/** The whole step as one function: gradients, updates, average. */
export function compileStep(state: VdmState, options: StepOptions): StepFunction {
  return compile(
    (x0: tf.Tensor, times: tf.Tensor1D, eps: tf.Tensor, eps0: tf.Tensor, numbers: tf.Tensor1D) => {
      const found = gradientsOf(state, options, { x0, times, eps, eps0 });
      const [rate, epsilon, share, ofSchedule, epsilonOfSchedule] = tf.unstack(numbers);
      state.adam.apply(found.network, { rate, epsilon });
      if (found.schedule) {
        state.scheduleAdam?.apply(found.schedule, { rate: ofSchedule, epsilon: epsilonOfSchedule });
      }
      state.ema.apply(share);
      return found.means;
    },
    { name: 'step of a variational diffusion model' },
  );
}

/** The numbers of the next update, in the order in which the step reads them. */
export function numbersOf(state: VdmState, rate: number, scheduleRate: number): tf.Tensor1D {
  const own = state.adam.numbers(rate);
  const ofSchedule = state.scheduleAdam?.numbers(scheduleRate) ?? { rate: 0, epsilon: 0 };
  return tf.tensor1d([own.rate, own.epsilon, state.ema.share(), ofSchedule.rate, ofSchedule.epsilon]);
}
