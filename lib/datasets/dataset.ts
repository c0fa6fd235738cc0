/** Labelled pictures of one size, kept as bytes; `toBatch` turns some of them into a tensor. */
export interface ImageDataset {
  kind: 'images';
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

/** Points of a plane, or of any low dimension, whose distribution is known: quick to learn, easy to judge. */
export interface PointDataset {
  kind: 'points';
  /** For example `swiss roll`. */
  name: string;
  /** For example `train`. */
  split: string;
  count: number;
  /** Coordinates of a point. */
  dims: number;
  /** `count * dims` coordinates, point after point. */
  points: Float32Array;
  /** Bounds that all coordinates keep, for samplers that clip and for the axes of plots. */
  range: readonly [number, number];
}

export type Dataset = ImageDataset | PointDataset;

/** The shape of one sample: `[height, width, channels]` or `[dims]`. */
export function sampleShape(dataset: Dataset): number[] {
  return dataset.kind === 'images' ? [dataset.height, dataset.width, dataset.channels] : [dataset.dims];
}

/** How many pictures each class has: `classes` numbers that sum to `count`. */
export function classCounts({ labels, classes }: ImageDataset): number[] {
  const counts: number[] = new Array(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/**
 * The samples `start <= i < end` as a dataset of their own; the data are shared, not copied.
 * @throws RangeError when that is not within the dataset.
 */
export function sliceDataset<D extends Dataset>(dataset: D, split: string, start: number, end: number): D {
  const { count } = dataset;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= count))
    throw new RangeError(
      `Samples ${start} to ${end} of ${dataset.name} were asked for, but there are ${count}.`,
    );
  const size = sampleShape(dataset).reduce((product, length) => product * length, 1);
  const part = { ...dataset, split, count: end - start };
  if (part.kind === 'points') return { ...part, points: part.points.subarray(start * size, end * size) };
  return {
    ...part,
    images: part.images.subarray(start * size, end * size),
    labels: part.labels.subarray(start, end),
  };
}
