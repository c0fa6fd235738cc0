/** Axes: from a range of numbers to places on a line, and the round numbers written beside it. */

export type Range = [min: number, max: number];

export interface Axis {
  range: Range;
  log: boolean;
  ticks: number[];
  /** Where a value lies: 0 at the smallest, 1 at the largest value of the range. */
  at(value: number): number;
}

/** Round numbers (1, 2 or 5 times a power of ten apart) within `[min, max]`, about `count` of them. */
export function linearTicks(min: number, max: number, count = 6): number[] {
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!;
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Powers of ten within `[min, max]`: with their double and fivefold when the range is short, each second, third... when
 * there are more than ten. A range too short for two of them has the ticks of a linear axis.
 */
export function logTicks(min: number, max: number): number[] {
  const factors = max / min < 1000 ? [1, 2, 5] : [1];
  const first = Math.floor(Math.log10(min));
  const stride = Math.max(1, Math.ceil((Math.log10(max) - first) / 10));
  const ticks: number[] = [];
  for (let power = Math.ceil(first / stride) * stride; power <= Math.log10(max) + 1e-9; power += stride)
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  const within = ticks.filter((tick) => tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9));
  return within.length >= 2 ? within : linearTicks(min, max);
}

export function createAxis([min, max]: Range, log: boolean): Axis {
  const scale = log ? Math.log : (value: number) => value;
  const from = scale(min);
  const length = scale(max) - from;
  return {
    range: [min, max],
    log,
    ticks: log ? logTicks(min, max) : linearTicks(min, max),
    at: (value) => (scale(value) - from) / length,
  };
}

/** Smallest and largest value, moved apart when equal. */
export function rangeOf(values: number[], log: boolean): Range {
  const min = values.reduce((a, b) => Math.min(a, b), Infinity);
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (min < max) return [min, max];
  return log ? [min / 2, max * 2] : [min - 1, max + 1];
}

/** The range with `share` of its length more on both sides. */
export function widen([min, max]: Range, share: number, log: boolean): Range {
  const factor = (max / min) ** share;
  const more = (max - min) * share;
  return log ? [min / factor, max * factor] : [min - more, max + more];
}

/** The text beside a tick. */
export function tickText(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6))
    return value.toExponential().replace('e+', 'e');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

/** A number with so many significant digits: short in a file, and the same on every machine. */
export function significant(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : NaN;
}
