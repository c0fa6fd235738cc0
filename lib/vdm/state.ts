/** All that changes while a variational diffusion model trains. */
import type { Compiled } from '../compile';
import { tf } from '../engine';
import { Adam, Ema, type AdamOptions } from '../training';
import { assignPacked, pack } from '../training/packing';
import type { VdmNetwork } from './network';
import type { GammaSchedule } from './schedule';

/** x0, times, eps, eps0 and the numbers of the update; the means of prior, reconstruction, diffusion and its square. */
export type StepFunction = Compiled<[tf.Tensor, tf.Tensor1D, tf.Tensor, tf.Tensor, tf.Tensor1D], tf.Tensor>;

export interface VdmState {
  readonly network: VdmNetwork;
  readonly schedule: GammaSchedule;
  readonly adam: Adam;
  /** Of the schedule's variables, ends first; undefined where it has none. */
  readonly scheduleAdam?: Adam;
  /** Of the network alone. */
  readonly ema: Ema;
  /** Compiled steps, and what each was compiled for. */
  readonly compiled: { of: { weight?: unknown }; step: StepFunction }[];
  /** Steps done. */
  step: number;
  /** Frees optimisers, average and compiled step; network and schedule stay their owner's. */
  dispose(): void;
}

/** The schedule's variables in the order of their optimiser. */
export const scheduleVariables = ({ ends, interior }: GammaSchedule): tf.Variable[] => [
  ...ends.values(),
  ...interior.values(),
];

/**
 * A fresh state; the caller disposes it. `emaDecay` defaults to 0.999.
 *
 * @throws Error if a decay, epsilon or clipNorm is out of range; nothing stays in memory then
 */
export function createVdmState(options: {
  network: VdmNetwork;
  schedule: GammaSchedule;
  adam?: AdamOptions;
  emaDecay?: number;
}): VdmState {
  const { network, schedule, adam: adamOptions, emaDecay = 0.999 } = options;
  const variables = [...network.parameters.values()];
  const ema = new Ema(variables, emaDecay);
  const owned: { dispose(): void }[] = [ema];
  const optimiser = (of: tf.Variable[]): Adam => {
    const adam = new Adam(of, adamOptions);
    owned.push(adam);
    return adam;
  };
  const learned = scheduleVariables(schedule);
  try {
    const adam = optimiser(variables);
    const scheduleAdam = learned.length > 0 ? optimiser(learned) : undefined;
    const compiled: VdmState['compiled'] = [];
    const dispose = (): void =>
      [...owned, ...compiled.map(({ step }) => step)].forEach((each) => each.dispose());
    return { network, schedule, adam, scheduleAdam, ema, compiled, step: 0, dispose };
  } catch (error) {
    owned.forEach((each) => each.dispose());
    throw error;
  }
}

/**
 * Runs `use` while the network holds its averaged weights, and puts the trained ones back, also after an error.
 *
 * @returns what `use` returns
 */
export async function withAveragedWeights<R>(state: VdmState, use: () => Promise<R>): Promise<R> {
  const variables = [...state.network.parameters.values()];
  const trained = pack(variables);
  assignPacked(variables, state.ema.packed);
  try {
    return await use();
  } finally {
    assignPacked(variables, trained);
    trained.dispose();
  }
}

/** Gives the network its averaged weights for good, at the end of training. */
export function keepAveragedWeights({ network, ema }: VdmState): void {
  assignPacked([...network.parameters.values()], ema.packed);
}
