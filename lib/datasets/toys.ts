/** Small distributions in the plane: what a large network would need hours for, an MLP learns here in a minute. */
import { tf, type Generator } from '../engine';
import type { PointDataset } from './dataset';
import { drawMixture, ringMixture, type GaussianMixture } from './mixture';

export interface ToyOptions {
  /** Number of points. */
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

/** Mean of x^2 + y^2 of the roll before it is scaled: that of the angle squared over [1.5 pi, 4.5 pi). */
const ROLL_MEAN_SQUARE = ((4.5 * Math.PI) ** 3 - (1.5 * Math.PI) ** 3) / 3 / (3 * Math.PI);

/**
 * The swiss roll: a spiral of one and a half turns, `(a cos a, a sin a)` with the angle a uniform in [1.5 pi, 4.5 pi),
 * scaled so that the mean of x^2 and y^2 together is 2 (one for each axis), plus noise.
 *
 * @throws RangeError when count or noise does not fit
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), figure 1; notes: "Original idea"
 */
export function swissRoll(options: CurveOptions): PointDataset {
  const scale = Math.sqrt(2 / ROLL_MEAN_SQUARE);
  const points = noisyCurve(options, (u) => {
    const angle = Math.PI * (1.5 + 3 * u);
    return [scale * angle * Math.cos(angle), scale * angle * Math.sin(angle)];
  });
  return pointDataset('swiss roll', options.split ?? 'train', points, 2);
}

/**
 * Two half circles of radius 1 that reach into each other, the upper around (-0.5, -0.25), the lower around
 * (0.5, 0.25), plus noise: two parts without a bridge.
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
 * Draws from a mixture of Gaussians, by default eight on a ring. Its density is known (see `oracle`).
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
