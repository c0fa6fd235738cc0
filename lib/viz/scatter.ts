import type { Raster } from '../io';
import type { Range } from './scale';

export interface ScatterOptions {
  /** Both axes run from the first to the second number; points outside are not drawn. Default -2.4 to 2.4. */
  range?: Range;
  /** Pixels along each side, default 150. */
  side?: number;
}

/**
 * Points of a plane as a small grey picture, the darker the more lie in a pixel: for rows of stages, where a chart would
 * be too large.
 *
 * @param points `2 n` coordinates, x to the right and y upwards
 * @throws RangeError when the coordinates are not in pairs, side is no whole number of at least 1, or range not rising
 */
export function scatterRaster(points: ArrayLike<number>, options: ScatterOptions = {}): Raster {
  const { range = [-2.4, 2.4], side = 150 } = options;
  const [low, high] = range;
  if (points.length % 2 !== 0)
    throw new RangeError(`There are ${points.length} coordinates: points of a plane have two each.`);
  if (!(Number.isInteger(side) && side >= 1))
    throw new RangeError(`side must be a whole number from 1, not ${side}.`);
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new RangeError(`range must be two numbers, the smaller first, not [${low}, ${high}].`);
  const counts = new Float64Array(side * side);
  const pixel = (x: number): number => Math.floor(((x - low) / (high - low)) * side);
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [pixel(points[i]!), side - 1 - pixel(points[i + 1]!)];
    if (Math.min(column, row) >= 0 && Math.max(column, row) < side) counts[row * side + column] += 1;
  }
  // White where there is nothing; one point is plain to see, many are black.
  const data = Uint8Array.from(counts, (n) => (n === 0 ? 255 : Math.round(160 * Math.exp(-(n - 1) / 2))));
  return { width: side, height: side, channels: 1, data };
}
