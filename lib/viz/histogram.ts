import type { Range } from './scale';
import type { Series } from './series';

export interface HistogramOptions {
  name?: string;
  /** Number of bins of equal width; 30 by default. */
  bins?: number;
  /** Ends of the first and the last bin; by default the smallest and the largest value. Values outside are not drawn. */
  range?: Range;
  /** Bars whose areas sum to 1 (less the share outside the range) instead of counts; true by default. */
  density?: boolean;
}

/**
 * How often values fall into bins, as bars for a chart: the density `count / (n * width)`, or the count.
 * @throws Error when there is no value, one is not finite, or the bins are not a whole number >= 1.
 */
export function histogram(
  values: ArrayLike<number>,
  { name = 'histogram', bins = 30, range, density = true }: HistogramOptions = {},
): Series {
  const list = Array.from(values);
  if (list.length === 0 || !list.every(Number.isFinite))
    throw new Error('A histogram needs at least one value, and only finite ones: filter the others out.');
  if (!(Number.isInteger(bins) && bins >= 1))
    throw new RangeError(`bins must be a whole number >= 1, not ${bins}.`);
  const smallest = list.reduce((a, b) => Math.min(a, b));
  const largest = list.reduce((a, b) => Math.max(a, b));
  const [min, max] = range ?? (smallest < largest ? [smallest, largest] : [smallest - 0.5, largest + 0.5]);
  if (!(min < max))
    throw new RangeError(`range must be two numbers, the smaller first, not [${min}, ${max}].`);
  const width = (max - min) / bins;
  const y = new Array<number>(bins).fill(0);
  for (const value of list)
    if (value >= min && value <= max) y[Math.min(bins - 1, Math.floor((value - min) / width))]! += 1;
  return {
    name,
    kind: 'bars',
    x: y.map((_, i) => min + (i + 0.5) * width),
    y: density ? y.map((count) => count / (list.length * width)) : y,
  };
}
