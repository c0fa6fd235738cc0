export * from './ddpm';
export * from './sample';
export type { ImageShape, Sampler, SamplerOptions, SamplingState } from './sampler';
