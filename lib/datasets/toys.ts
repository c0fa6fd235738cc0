/** Small distributions in the plane: what a large network would need hours for, an MLP learns here in a minute. */
import { tf, type Generator } from '../engine';
import type { PointDataset } from './dataset';
import { drawMixture, ringMixture, type GaussianMixture } from './mixture';

export interface ToyOptions {
  /** Number of points; those that are there at a smaller count stay the same. */
  count: number;
  /** Where the points come from; the same generator gives the same points. */
  generator: Generator;
  /** For example `train`, the default; draw another split with another generator. */
  split?: string;
}

export interface CurveOptions extends ToyOptions {
  /** Standard deviation of the Gaussian noise around the curve, in the units of the points; 0.02 by default. */
  noise?: number;
}

function checkOptions({ count, noise = 0 }: { count: number; noise?: number }): void {
  if (!(Number.isInteger(count) && count >= 1))
    throw new RangeError(`count is ${count}: the number of points must be a whole number of at least 1.`);
  if (!(noise >= 0 && noise < Infinity)) throw new RangeError(`noise is ${noise}: it must be 0 or more.`);
}

function pointDataset(name: string, split: string, points: Float32Array, dims: number): PointDataset {
  const largest = points.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return {
    kind: 'points',
    name,
    split,
    count: points.length / dims,
    dims,
    points,
    range: [-largest, largest],
  };
}

/** Points of a curve plus noise: `curve(u)` for u uniform in [0, 1). */
function noisyCurve(
  { count, generator, noise = 0.02 }: CurveOptions,
  curve: (u: number) => [number, number],
): Float32Array {
  checkOptions({ count, noise });
  return tf.tidy(() => {
    const u = generator.fork('u').uniform([count]).dataSync();
    const z = generator.fork('z').normal([count, 2]).dataSync();
    return Float32Array.from({ length: 2 * count }, (_, i) => curve(u[i >> 1]!)[i & 1]! + noise * z[i]!);
  });
}

/** Mean of `(a cos a, a sin a)` for a uniform in [1.5 pi, 4.5 pi). */
const ROLL_MEAN = [2, 2 / (3 * Math.PI)] as const;
/** Variance of x plus that of y: the mean of a^2, less the squares of the means. */
const ROLL_VARIANCE =
  ((4.5 * Math.PI) ** 3 - (1.5 * Math.PI) ** 3) / (9 * Math.PI) - ROLL_MEAN[0] ** 2 - ROLL_MEAN[1] ** 2;

/** The place of the swiss roll's curve at the share u of its angle, 0 (inside) to 1: where its points lie without noise. */
export function swissRollCurve(u: number): [number, number] {
  const scale = Math.sqrt(2 / ROLL_VARIANCE);
  const angle = Math.PI * (1.5 + 3 * u);
  return [scale * (angle * Math.cos(angle) - ROLL_MEAN[0]), scale * (angle * Math.sin(angle) - ROLL_MEAN[1])];
}

/**
 * The swiss roll: a spiral of one and a half turns, `(a cos a, a sin a)` with the angle a uniform in [1.5 pi, 4.5 pi),
 * shifted to mean 0 and scaled so that the variances of x and y add up to 2, plus noise.
 *
 * Without noise the standard deviations are 0.98 and 1.02, and all points lie in [-1.7, 1.6] x [-1.7, 2.1].
 *
 * @throws RangeError when count or noise does not fit
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), figure 1; notes: "Original idea"
 */
export function swissRoll(options: CurveOptions): PointDataset {
  return pointDataset('swiss roll', options.split ?? 'train', noisyCurve(options, swissRollCurve), 2);
}

/**
 * Two half circles of radius 1 that reach into each other, the upper around (-0.5, -0.25), the lower around
 * (0.5, 0.25), plus noise: two parts without a bridge.
 *
 * Without noise the means are 0 and the standard deviations 0.87 and 0.49; all points lie in [-1.5, 1.5] x [-0.75, 0.75].
 *
 * @throws RangeError when count or noise does not fit
 */
export function twoMoons(options: CurveOptions): PointDataset {
  const points = noisyCurve(options, (u) => {
    const upper = u < 0.5;
    const angle = Math.PI * (upper ? 2 * u : 2 * u - 1);
    return upper
      ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25]
      : [0.5 - Math.cos(angle), 0.25 - Math.sin(angle)];
  });
  return pointDataset('two moons', options.split ?? 'train', points, 2);
}

/**
 * Draws from a mixture of Gaussians, by default eight on a ring of radius 1 (mean 0, standard deviation 0.71 along both
 * axes). They are not shifted or scaled: their density is that of the mixture, which is known (see `oracle`).
 *
 * @throws RangeError when count does not fit; Error when the mixture does not
 */
export function gaussianMixture(options: ToyOptions & { mixture?: GaussianMixture }): PointDataset {
  checkOptions(options);
  const { mixture = ringMixture, count, generator, split = 'train' } = options;
  return pointDataset(
    'gaussian mixture',
    split,
    drawMixture(mixture, count, generator),
    mixture.means[0]!.length,
  );
}
