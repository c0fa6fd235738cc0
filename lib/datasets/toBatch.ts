import { tf } from '../engine';
import { sampleShape } from './dataset';
import type { Dataset, ImageDataset, PointDataset } from './dataset';
import { fromPixels } from './pixels';

/**
 * The samples at `indices` as a float32 tensor: pictures `[B, height, width, channels]` in [-1, 1], points `[B, dims]`;
 * the caller disposes it.
 * @throws RangeError when an index is not one of the dataset's, or there is none.
 */
export function toBatch(dataset: ImageDataset, indices: ArrayLike<number>): tf.Tensor4D;
export function toBatch(dataset: PointDataset, indices: ArrayLike<number>): tf.Tensor2D;
export function toBatch(dataset: Dataset, indices: ArrayLike<number>): tf.Tensor;
export function toBatch(dataset: Dataset, indices: ArrayLike<number>): tf.Tensor {
  if (indices.length === 0) throw new RangeError('A batch needs at least one index, but the list is empty.');
  const shape = sampleShape(dataset);
  const size = shape.reduce((product, length) => product * length, 1);
  if (dataset.kind === 'points') {
    const points = gatherRows(
      dataset,
      dataset.points,
      indices,
      size,
      new Float32Array(indices.length * size),
    );
    return tf.tensor2d(points, [indices.length, size]);
  }
  const pixels = gatherRows(dataset, dataset.images, indices, size, new Uint8Array(indices.length * size));
  return fromPixels(pixels, [indices.length, dataset.height, dataset.width, dataset.channels]);
}

/** Copies the rows `indices` of `from`, each of `size` numbers, one after the other into `to`. */
function gatherRows<A extends Uint8Array | Float32Array>(
  { name, split, count }: Dataset,
  from: A,
  indices: ArrayLike<number>,
  size: number,
  to: A,
): A {
  for (let b = 0; b < indices.length; b++) {
    const index = indices[b]!;
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      throw new RangeError(`Index ${index} is no sample of ${name} (${split}): there are ${count}.`);
    to.set(from.subarray(index * size, (index + 1) * size), b * size);
  }
  return to;
}
