/** Gaussians on float64 numbers: densities, entropies and divergences in nats, products, marginals and conditionals. */
export type { Gaussian } from './scalar';
export type { DiagonalGaussian } from './diagonal';
export type { FullGaussian } from './full';
export { toFull, type VectorGaussian } from './kinds';
export { entropy, expectedLogDensity, klDivergence, logDensity } from './measures';
export { productOf, type Product } from './product';
export { conditionalOf, marginalOf } from './partition';
export { conditionAt, jointWith, marginalise, reverseConditional, type LinearGaussian } from './linear';
export { cholesky } from './cholesky';
export { symmetricEigen, type Eigen } from './eigen';
export type { Matrix } from './matrix';
export * from './bits';
