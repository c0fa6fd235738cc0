/** Distributions whose best denoiser and density at every step are known in closed form. */
export * from './mixture';
