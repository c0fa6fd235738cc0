/** The times at which a batch is looked at. */

/**
 * Evenly spread times from one random number: `t_i = (u + i / count) mod 1`. Each alone is uniform, so means stay what they
 * are; together they leave no gap, so means scatter less.
 *
 * @param u in [0, 1)
 * @returns `count` numbers in [0, 1)
 * @throws Error if u or count does not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), the low-discrepancy sampler of the appendix
 */
export function antitheticTimes(o: { u: number; count: number }): Float64Array {
  const { u, count } = o;
  if (!(u >= 0 && u < 1)) throw new Error(`u is ${u}: it must be a random number of [0, 1).`);
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new Error(`count is ${count}: use a whole number of at least 1.`);
  }
  return Float64Array.from({ length: count }, (_, i) => (u + i / count) % 1);
}

/**
 * The step that a time falls into, of T equal ones: `t = (floor(T time) + 1) / T` and `s = t - 1 / T`.
 *
 * @throws Error if time is not in [0, 1), or T no whole number of at least 1
 */
export function stepOfTime(time: number, T: number): { s: number; t: number } {
  if (!(time >= 0 && time < 1)) throw new Error(`time is ${time}: it must lie in [0, 1).`);
  assertSteps(T);
  const i = Math.floor(time * T);
  return { s: i / T, t: (i + 1) / T };
}

/** Throws unless T is a number of steps. */
export function assertSteps(T: number): void {
  if (!(Number.isInteger(T) && T >= 1)) throw new Error(`T is ${T}: use a whole number of at least 1.`);
}
