import { tf, type Generator } from '../engine';
import type { PointDataset } from './dataset';

export interface HeartbeatShape {
  /** Length of a sequence; 20 by default. */
  bits?: number;
  /** A pulse (a 1) comes every so many bits, 5 by default; so many different sequences there are. */
  period?: number;
}

export interface HeartbeatOptions extends HeartbeatShape {
  /** Number of sequences; those that are there at a smaller count stay the same. */
  count: number;
  generator: Generator;
  /** For example `train`, the default; draw another split with another generator. */
  split?: string;
}

function checkShape({ bits = 20, period = 5 }: HeartbeatShape): void {
  for (const [name, value] of Object.entries({ bits, period })) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name} is ${value}: it must be a whole number of at least 1.`);
  }
  if (period > bits)
    throw new RangeError(
      `period is ${period}, but a sequence has ${bits} bits: some would have no pulse; use at most ${bits}.`,
    );
}

/**
 * All sequences that the heartbeat can make, one for each phase: sequence k has a 1 at `k, k + period, k + 2 period, ...`.
 *
 * @throws RangeError when bits or period is no whole number of at least 1, or period is above bits
 */
export function heartbeatSequences(shape: HeartbeatShape = {}): number[][] {
  checkShape(shape);
  const { bits = 20, period = 5 } = shape;
  return Array.from({ length: period }, (_, phase) =>
    Array.from({ length: bits }, (_bit, i) => (i % period === phase ? 1 : 0)),
  );
}

/**
 * The binary heartbeat: sequences of bits with a pulse every `period` bits, the phase drawn uniformly; so the entropy is
 * `log2(period)` bits a sequence, 2.322 by default. A share of `1 / period` of all bits is 1.
 *
 * @returns points whose coordinates are 0 or 1
 * @throws RangeError when count, bits or period does not fit
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 3.1.2
 */
export function heartbeat(options: HeartbeatOptions): PointDataset {
  const { count, generator, bits = 20, period = 5, split = 'train' } = options;
  const sequences = heartbeatSequences(options);
  if (!(Number.isInteger(count) && count >= 1))
    throw new RangeError(`count is ${count}: the number of sequences must be a whole number of at least 1.`);
  const phases = tf.tidy(() => generator.fork('phase').integers([count], { max: period }).dataSync());
  const points = new Float32Array(count * bits);
  phases.forEach((phase, i) => points.set(sequences[phase], i * bits));
  return { kind: 'points', name: 'heartbeat', split, count, dims: bits, points, range: [0, 1] };
}
