/** Distributions whose best denoiser and density at every step are known in closed form. */
export type { Oracle, OracleValues } from './oracle';
export * from './gaussian';
export * from './mixture';
export * from './empirical';
export * from './swissRoll';
