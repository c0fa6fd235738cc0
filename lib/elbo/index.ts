/** The evidence lower bound of a chain of latent variables, where it can be computed exactly. */
export * from './hierarchical';
export * from './decomposition';
export * from './diffusion';
export * from './sampled';
export { estimate, type DrawOptions, type Estimate } from './estimate';
