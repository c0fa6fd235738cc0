/** The density of the swiss roll as our generator draws it: no closed form, but a line integral to nearly all digits. */
import { swissRollCurve } from '../datasets';

export interface RollOptions {
  /** Standard deviation of the noise around the curve, above 0; 0.02 by default, as in `swissRoll`. */
  noise?: number;
}

/** The curve is shorter than 20: with so many points for each noise width they lie within half of it. */
const POINTS_A_WIDTH = 40;
/** Points are looked at in blocks, most of which are too far away. */
const BLOCK = 64;
/** Beyond this exponent a point of the curve adds nothing. */
const FAR = 40;

/** The curve as points, block after block. */
interface Curve {
  points: Float64Array;
  /** Of each block the point in its middle, and how far the others are from it at most. */
  middles: Float64Array;
  radii: Float64Array;
}

/** Points of the curve close enough for a Gaussian of this width to be summed over them without error. */
function curveFor(noise: number): Curve {
  if (!(noise > 0 && noise < Infinity)) {
    throw new Error(`noise is ${noise}: without noise the roll has no density; use a number above 0.`);
  }
  const blocks = Math.ceil(POINTS_A_WIDTH / Math.min(noise, 0.5) / BLOCK);
  const points = new Float64Array(2 * blocks * BLOCK);
  const count = points.length / 2;
  for (let i = 0; i < count; i++) points.set(swissRollCurve((i + 0.5) / count), 2 * i);
  const middles = new Float64Array(2 * blocks);
  const radii = new Float64Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const own = points.subarray(2 * BLOCK * block, 2 * BLOCK * (block + 1));
    const middle = own.subarray(BLOCK, BLOCK + 2);
    middles.set(middle, 2 * block);
    for (let i = 0; i < 2 * BLOCK; i += 2) {
      radii[block] = Math.max(radii[block], Math.hypot(own[i] - middle[0], own[i + 1] - middle[1]));
    }
  }
  return { points, middles, radii };
}

/** The squared distances of x from the points of the curve that matter to a Gaussian of this width. */
function squaresNear({ points, middles, radii }: Curve, noise: number, [x, y]: readonly number[]): number[] {
  const apart = radii.map((_, block) => Math.hypot(x - middles[2 * block], y - middles[2 * block + 1]));
  const reach = Math.sqrt(apart.reduce((a, b) => Math.min(a, b)) ** 2 + 2 * FAR * noise ** 2);
  const squares: number[] = [];
  apart.forEach((distance, block) => {
    if (distance - radii[block] > reach) return;
    for (let i = 2 * BLOCK * block; i < 2 * BLOCK * (block + 1); i += 2) {
      squares.push((x - points[i]) ** 2 + (y - points[i + 1]) ** 2);
    }
  });
  return squares;
}

function logDensityOn(curve: Curve, noise: number, x: readonly number[]): number {
  const squares = squaresNear(curve, noise, x);
  const nearest = squares.reduce((a, b) => Math.min(a, b));
  const scale = 0.5 / noise ** 2;
  const sum = squares.reduce((total, square) => total + Math.exp(scale * (nearest - square)), 0);
  return Math.log((2 * sum) / curve.points.length) - scale * nearest - Math.log(2 * Math.PI * noise ** 2);
}

/**
 * `ln p(x)` of the swiss roll, `p(x) = integral over u in [0, 1] of N(x; curve(u), noise^2 I)`, nats, for many points.
 *
 * @param points `2 n` coordinates, such as a dataset's
 * @returns n numbers
 * @throws Error if noise is not above 0, or the coordinates are not in pairs
 */
export function swissRollLogDensities(points: ArrayLike<number>, options: RollOptions = {}): Float64Array {
  const { noise = 0.02 } = options;
  if (points.length % 2 !== 0) {
    throw new Error(`There are ${points.length} coordinates: the roll lies in the plane, give two a point.`);
  }
  const curve = curveFor(noise);
  return Float64Array.from({ length: points.length / 2 }, (_, i) =>
    logDensityOn(curve, noise, [points[2 * i], points[2 * i + 1]]),
  );
}

/** Nodes and weights of the Gauss-Hermite rule of 7 points for a standard normal number (exact to degree 13). */
const NODES = [0, 1.154405394739968, 2.366759410734541, 3.750439717725742];
const WEIGHTS = [0.4571428571428571, 0.2401231786050127, 0.03075712396758651, 5.482688559722179e-4];

/**
 * The differential entropy of the swiss roll in bits a point, `-E[log2 p(x)]`: the most that any model's bound can reach is
 * its negative. By quadrature over the curve and the noise, to about 0.001 bits.
 *
 * @throws Error if noise is not above 0
 */
export function swissRollEntropyBits(options: RollOptions = {}): number {
  const { noise = 0.02 } = options;
  const curve = curveFor(noise);
  const rule = NODES.flatMap((node, k) =>
    (node === 0 ? [0] : [-node, node]).map((z) => ({ z, weight: WEIGHTS[k] })),
  );
  const places = 200;
  let nats = 0;
  for (let i = 0; i < places; i++) {
    const [x, y] = swissRollCurve((i + 0.5) / places);
    for (const a of rule) {
      for (const b of rule) {
        const at = [x + noise * a.z, y + noise * b.z];
        nats -= (a.weight * b.weight * logDensityOn(curve, noise, at)) / places;
      }
    }
  }
  return nats / Math.LN2;
}
