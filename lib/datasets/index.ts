export { batchCount, batches } from './batches';
export type { BatchOptions } from './batches';
export { classCounts, sliceDataset } from './dataset';
export type { ImageDataset } from './dataset';
export { readIdx } from './idx';
export type { IdxArray } from './idx';
export { loadMnist } from './mnist';
export type { Mnist, MnistOptions } from './mnist';
export { fromPixels, toBatch, toPixels } from './pixels';
