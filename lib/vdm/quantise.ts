/** Points as values of 256 levels: data that have a probability, as images do, and not a density. */
import type { PointDataset } from '../datasets';
import { GREY_LEVELS } from '../likelihood';

/**
 * Points with each coordinate on the nearest of 256 levels in [-1, 1]; `range` of the coordinates becomes [-1, 1], what lies
 * outside the outer levels. The dataset's own range by default.
 *
 * @throws Error if the range is none
 * @see Kingma et al. 2021 (arXiv 2107.00630), whose 2-D example this is
 */
export function quantised(
  dataset: PointDataset,
  range: readonly [number, number] = dataset.range,
): PointDataset {
  const [low, high] = range;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new Error(`range is [${range}]: give the smallest and the largest value of the data.`);
  }
  const most = GREY_LEVELS - 1;
  const points = dataset.points.map((value) => {
    const level = Math.round(((value - low) / (high - low)) * most);
    return (2 * Math.min(most, Math.max(0, level))) / most - 1;
  });
  return { ...dataset, points, range: [-1, 1] };
}
