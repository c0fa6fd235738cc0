/** Estimates by sampling, with their errors. */
import type { Generator } from '../engine';

/** A mean over draws with its standard error. */
export interface Estimate {
  mean: number;
  standardError: number;
  /** Standard deviation of a single draw: what one training step sees. */
  std: number;
  /** The single draws. */
  values: Float64Array;
}

export interface DrawOptions {
  /** At least 2. */
  draws: number;
  generator: Generator;
}

/** The mean of `draw(0), ..., draw(draws - 1)`. @throws Error for fewer than two draws: they tell no error */
export function estimate(draws: number, draw: (i: number) => number): Estimate {
  if (!(Number.isInteger(draws) && draws >= 2)) {
    throw new Error(`draws is ${draws}: a standard error needs a whole number of at least 2.`);
  }
  const values = Float64Array.from({ length: draws }, (_, i) => draw(i));
  const mean = values.reduce((sum, value) => sum + value, 0) / draws;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (draws - 1);
  return { mean, std: Math.sqrt(variance), standardError: Math.sqrt(variance / draws), values };
}

/** `rows` independent lists of `draws` standard normal numbers. */
export function drawNormals(rows: number, { draws, generator }: DrawOptions): Float64Array[] {
  return Array.from({ length: rows }, (_, row) => {
    const z = generator.fork('row', row).normal([draws]);
    const values = Float64Array.from(z.dataSync());
    z.dispose();
    return values;
  });
}
