// The engine: TensorFlow.js on TensorFlow's own library, or on WebGPU. Importing this file starts it.
export { tf, device, ready, settled } from './backend';
export type { Device } from './device';
export { TensorFlowError } from './libtensorflow';
export { memoryLimit, threadCount } from './limits';
export { createGenerator, integersFrom, normalFrom, SEED_SIZE, seedOf } from './random';
export type { Generator } from './random';
