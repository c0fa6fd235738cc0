/** Which steps a sampler makes, when it makes fewer than the schedule has. */
import { Schedule, scheduleFromBetas } from '../diffusion';

/**
 * How N of T steps are chosen (names as in the field):
 *
 * | spacing     | N = 10 of T = 1000    | first   | last  |
 * |-------------|-----------------------|---------|-------|
 * | `leading`   | 900, 800, ..., 100, 0 | below T-1: starts from noise that is not quite noise | 0 |
 * | `linspace`  | 999, 888, ..., 111, 0 | T-1     | 0     |
 * | `trailing`  | 999, 899, ..., 199, 99 | T-1    | above 0 |
 * | `quadratic` | 999, 789, ..., 12, 0  | T-1     | 0, and dense near it |
 */
export type Spacing = 'leading' | 'linspace' | 'trailing' | 'quadratic';

const spacings: Record<Spacing, (i: number, N: number, T: number) => number> = {
  leading: (i, N, T) => i * Math.floor(T / N),
  linspace: (i, N, T) => (N === 1 ? T - 1 : Math.round((i * (T - 1)) / (N - 1))),
  trailing: (i, N, T) => Math.round(((i + 1) * T) / N) - 1,
  quadratic: (i, N, T) => (N === 1 ? T - 1 : Math.round((T - 1) * (i / (N - 1)) ** 2)),
};

export const spacingNames = Object.keys(spacings) as Spacing[];

/**
 * `steps` of the T steps, from the noisiest to 0 or near it; all of them, T-1..0, when `steps` is T.
 *
 * Where the rule would name a step twice (the dense end of `quadratic`) the next one is taken.
 *
 * @throws Error if steps is not a whole number from 1 to T, or the spacing is unknown
 * @see Song et al. 2020 (arXiv 2010.02502), section 4.2 and appendix D.2 (linear and quadratic); Lin et al. 2023
 *   (arXiv 2305.08891), table 2 (leading, linspace, trailing)
 */
export function timesteps(options: { T: number; steps: number; spacing?: Spacing }): number[] {
  const { T, steps, spacing = 'trailing' } = options;
  if (!(Number.isInteger(T) && T >= 1))
    throw new Error(`T is ${T}: it must be a whole number of at least 1.`);
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= T)) {
    throw new Error(`steps is ${steps}: choose a whole number from 1 to T = ${T}.`);
  }
  if (!Object.hasOwn(spacings, spacing)) {
    throw new Error(`spacing is '${spacing}': choose ${spacingNames.join(', ')}.`);
  }
  const list: number[] = [];
  for (let i = 0; i < steps; i++) {
    list.push(Math.max(spacings[spacing](i, steps, T), i === 0 ? 0 : list[i - 1] + 1));
  }
  return list.reverse();
}

/** Throws unless the list is one that a sampler can walk down: whole steps of the schedule, each below the one before. */
export function assertTimestepList(list: readonly number[], T: number): void {
  if (list.length === 0) throw new Error('timesteps is empty: name at least one step.');
  list.forEach((t, i) => {
    if (!(Number.isInteger(t) && t >= 0 && t < T)) {
      throw new Error(`timesteps[${i}] is ${t}: a schedule with T = ${T} has the steps 0..${T - 1}.`);
    }
    if (i > 0 && t >= list[i - 1]) {
      throw new Error(
        `timesteps[${i}] is ${t} and the one before ${list[i - 1]}: sampling goes down, each step must be smaller.`,
      );
    }
  });
}

/**
 * The schedule that remains when only some steps are made: as long as `list`, with abar at those steps, and betas that
 * belong to the long strides, `1 - abar[t] / abar[next smaller in the list]`. Its step i is the original step
 * `list[list.length - 1 - i]`.
 *
 * Every formula for one step then holds for a stride too. The full list gives the schedule itself.
 *
 * @throws Error if the list is empty, leaves 0..T-1, or does not fall
 * @see Nichol and Dhariwal 2021 (arXiv 2102.09672), section 4, eq. 19
 */
export function respace(schedule: Schedule, list: readonly number[]): Schedule {
  assertTimestepList(list, schedule.T);
  if (list.length === schedule.T) return schedule;
  const rising = [...list].reverse();
  const betas = rising.map((t, i) => {
    if (i === 0) return schedule.oneMinusAbar[t];
    const previous = rising[i - 1];
    return (schedule.oneMinusAbar[t] - schedule.oneMinusAbar[previous]) / schedule.abar[previous];
  });
  return scheduleFromBetas(betas, `${schedule.name}, ${list.length} of ${schedule.T} steps`);
}
