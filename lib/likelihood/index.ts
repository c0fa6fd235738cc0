/** How probable a diffusion model finds samples: by the variational bound, and exactly by its flow. */
export * from './decoder';
export { createLossHistory, type LossHistory } from './importance';
export * from './bound';
export * from './dequantise';
export * from './flow';
export { type EvaluationOptions } from './samples';
export { bitsPerDimOf, type BitsPerDim } from './statistics';
