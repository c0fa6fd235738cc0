import type { Generator } from '../engine';

/**
 * A mixture of round Gaussians, `p(x) = sum_k weights[k] N(x; means[k], std^2 I)`: the simplest distribution with
 * several modes, and one whose every quantity can be written down.
 */
export interface GaussianMixture {
  /** One share for each component; they add up to 1. */
  weights: number[];
  /** One point of any (but the same) dimension for each component. */
  means: number[][];
  /** Standard deviation of every component along every axis, above 0. */
  std: number;
}

/** Throws unless the numbers make a mixture. */
export function checkMixture({ weights, means, std }: GaussianMixture): void {
  if (weights.length === 0 || weights.length !== means.length)
    throw new Error(
      `The mixture has ${weights.length} weights and ${means.length} means: give one of each for every component.`,
    );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!weights.every((weight) => weight >= 0) || Math.abs(sum - 1) > 1e-9)
    throw new Error(
      `weights are [${weights}]: they must be at least 0 and add up to 1 (they add up to ${sum}).`,
    );
  const dims = means[0]!.length;
  const odd = means.findIndex(
    (mean) => mean.length !== dims || mean.length === 0 || !mean.every(Number.isFinite),
  );
  if (odd >= 0)
    throw new Error(
      `means[${odd}] is [${means[odd]}]: every mean must be a point of the same dimension, ${dims}.`,
    );
  if (!(std > 0 && std < Infinity)) throw new Error(`std is ${std}: the standard deviation must be above 0.`);
}

/** Eight equal Gaussians on a ring of radius 1: the toy on which one sees at once whether a mode is missing. */
export const ringMixture: GaussianMixture = {
  weights: new Array<number>(8).fill(1 / 8),
  means: Array.from({ length: 8 }, (_, k) => [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)]),
  std: 0.1,
};

/** `count` draws from a mixture, `count * dims` coordinates; the same generator gives the same points. */
export function drawMixture(mixture: GaussianMixture, count: number, generator: Generator): Float32Array {
  checkMixture(mixture);
  const { weights, means, std } = mixture;
  const dims = means[0]!.length;
  const [u, z] = [generator.fork('component').uniform([count]), generator.fork('z').normal([count, dims])];
  const [shares, noise] = [u.dataSync(), z.dataSync()];
  u.dispose();
  z.dispose();
  const points = new Float32Array(count * dims);
  for (let i = 0; i < count; i++) {
    // The first component at which the running sum of the weights passes u.
    let k = 0;
    for (let sum = weights[0]!; sum <= shares[i]! && k < weights.length - 1; sum += weights[k]!) k++;
    for (let d = 0; d < dims; d++) points[i * dims + d] = means[k]![d]! + std * noise[i * dims + d]!;
  }
  return points;
}
