/** The first diffusion models (Sohl-Dickstein et al. 2015): Gaussian and binomial chains, their bound, products. */
export * from './flips';
export * from './entropy';
export { perceptron, radialBasis, type MakeNet, type PerceptronOptions, type ReverseNet } from './nets';
export type { LastStep, ReverseModel } from './model';
export * from './gaussian';
export * from './binomial';
export { trainReverse, type TrainReverseOptions, type TrainReverseStep } from './train';
export * from './bound';
export * from './sample';
export * from './exact';
