/** Labelled pictures of one size, kept as bytes; `toBatch` turns some of them into a tensor. */
export interface ImageDataset {
  /** For example `mnist`. */
  name: string;
  /** For example `train`. */
  split: string;
  count: number;
  height: number;
  width: number;
  channels: number;
  /** `count * height * width * channels` bytes, picture after picture, NHWC. */
  images: Uint8Array;
  /** `count` numbers of a class, each below `classes`. */
  labels: Uint8Array;
  classes: number;
  /** What bytes 0 and 255 become in a tensor; samplers clip to it. */
  range: readonly [-1, 1];
}

/** How many pictures each class has: `classes` numbers that sum to `count`. */
export function classCounts({ labels, classes }: ImageDataset): number[] {
  const counts: number[] = new Array(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/**
 * The pictures `start <= i < end` as a dataset of their own; the bytes are shared, not copied.
 * @throws RangeError when that is not within the dataset.
 */
export function sliceDataset(dataset: ImageDataset, split: string, start: number, end: number): ImageDataset {
  const { count, height, width, channels, images, labels } = dataset;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= count))
    throw new RangeError(
      `Pictures ${start} to ${end} of ${dataset.name} were asked for, but there are ${count}.`,
    );
  const size = height * width * channels;
  return {
    ...dataset,
    split,
    count: end - start,
    images: images.subarray(start * size, end * size),
    labels: labels.subarray(start, end),
  };
}
