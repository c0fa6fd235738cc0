/** Layers and parameters: what networks are made of. */
export { Parameters } from './parameters';
export { conv2d, dense, upsample2, type Conv2dOptions, type DenseOptions, type Layer } from './layers';
export { groupNorm, groupNormalise, groupsFor } from './groupNorm';
export { addBias, relu } from './bias';
export { convolve, turned } from './convolution';
export { silu } from './silu';
export { timeEmbedding } from './timeEmbedding';
export { checkExponents, fourierFeatures } from './fourier';
export { selfAttention } from './attention';
