// The engine: TensorFlow.js on TensorFlow's own library. Importing this file starts it.
export { tf, device } from './backend';
export type { Device } from './device';
export { TensorFlowError } from './libtensorflow';
export { memoryLimit, threadCount } from './limits';
export { createGenerator, integersFrom, normalFrom, SEED_SIZE, seedOf } from './random';
export type { Generator } from './random';
