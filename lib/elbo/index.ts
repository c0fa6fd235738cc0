/** The evidence lower bound of a chain of latent variables, where it can be computed exactly. */
export * from './hierarchical';
export * from './decomposition';
export * from './diffusion';
export * from './weights';
export * from './sampled';
export { chainOf, diffusionChain, type ChainModel } from './chain';
export { exactLogMean, exactSum, gridLogMean, gridSum, sampledSum, type Grid, type Term } from './averages';
export { line1, line2, line3, line4, line5, line6, line7, line8, redrawn } from './derivation';
export * from './bridge';
export { estimate, type DrawOptions, type Estimate } from './estimate';
