export * from './ddpm';
export * from './ddim';
export * from './langevin';
export * from './langevinMoments';
export * from './timesteps';
export * from './sample';
export type { Sampler, SamplerOptions, SamplingState } from './sampler';
