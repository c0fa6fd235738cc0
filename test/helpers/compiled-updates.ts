/** Every update of variables in lib/training, as functions on tensors. */
import type { tf } from '../../lib/engine';
import { Adam, Ema, type AdamOptions } from '../../lib/training';

export type Update = { of: string; options: object; make: (variables: tf.Variable[]) => Updater };
export interface Updater {
  /** The numbers of the next update. */
  next(): number[];
  apply(gradient: tf.Tensor1D, numbers: tf.Tensor[]): void;
  owned: tf.Variable[];
}

const adam = (options: AdamOptions): Update => ({
  of: 'Adam',
  options,
  make: (variables) => {
    const optimiser = new Adam(variables, options);
    return {
      next: () => {
        const numbers = Object.values(optimiser.numbers(0.1));
        optimiser.step++;
        return numbers;
      },
      apply: (gradient, [rate, epsilon]) => optimiser.apply(gradient, { rate, epsilon }),
      owned: [optimiser.firstMoment, optimiser.secondMoment],
    };
  },
});
const ema = (decay: number): Update => ({
  of: 'Ema',
  options: { decay },
  make: (variables) => {
    const average = new Ema(variables, decay);
    return {
      next: () => {
        const share = average.share();
        average.step++;
        return [share];
      },
      apply: (gradient, [share]) => {
        variables[1].assign(gradient.slice(0, 4));
        average.apply(share);
      },
      owned: [average.packed],
    };
  },
});
export const updates = [adam({}), adam({ clipNorm: 1 }), adam({ beta1: 0, epsilon: 0.1 }), ema(0.9), ema(0)];
