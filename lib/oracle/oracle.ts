/** What all oracles can do. */
import type { Denoiser, Schedule } from '../diffusion';

/** The truth about one x_t. */
export interface OracleValues {
  /** `ln q(x_t)`, nats. */
  logDensity: number;
  /** `grad ln q(x_t)`. */
  score: number[];
  /** `E[x_0 | x_t]`, the best guess of x_0 in the mean square. */
  x0: number[];
  /** `E[eps | x_t] = -sqrt(1 - abar_t) score`. */
  eps: number[];
  /** `E[v | x_t] = sqrt(abar_t) eps - sqrt(1 - abar_t) x0`. */
  v: number[];
  /** How likely each component of the data (or training point) is to have been the origin; they add up to 1. */
  shares: number[];
}

/** Data whose noisy densities and best denoiser are known in closed form. */
export interface Oracle {
  /** Numbers in a sample. */
  readonly dims: number;
  /**
   * The truth about one x_t, float64.
   *
   * @param o.xt `dims` numbers
   * @param o.t step, 0..T-1
   * @throws Error if xt has another size, or t is no step of the schedule
   */
  at(o: { schedule: Schedule; xt: ArrayLike<number>; t: number }): OracleValues;
  /**
   * The best denoiser on tensors, declared `pure`: `E[eps | x_t]` for points `[B, D]`, or anything that reshapes to it.
   * A network that is trained with the noise MSE on such data tends to this function.
   *
   * @throws Error (the denoiser) if the samples have another size
   */
  denoiser(schedule: Schedule): Denoiser;
}
