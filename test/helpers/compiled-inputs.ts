/** What the cases of compiled functions share: their shape, a schedule, and random inputs. */
import { linearSchedule } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import type { Made } from './compiled';

export interface Case {
  /** The function's name among the exports of its folder. */
  of: string;
  /** What sets it apart from other cases of the same function. */
  which?: string;
  make: () => Made;
  /** The largest error allowed in bfloat16; left out where nothing may be rounded to it. */
  bfloat16?: number;
}

export const T = 8;
export const schedule = linearSchedule({ T, betaStart: 0.05, betaEnd: 0.4 });
export const steps = (count: number): tf.Tensor1D =>
  tf.tensor1d(
    Array.from({ length: count }, (_, i) => (3 * i + 1) % T),
    'int32',
  );

export const generator = createGenerator(21);
export const normal = (name: string, shape: number[]): tf.Tensor => generator.fork(name).normal(shape);
