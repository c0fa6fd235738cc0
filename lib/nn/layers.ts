/**
 * Layers as functions: `conv2d(parameters, options)` makes the parameters and returns `x => y`.
 *
 * Images are `[B, H, W, C]`. Kernels start at the scale that keeps the variance of the activations (He et al. 2015,
 * arXiv 1502.01852, eq. 10, with gain 1); biases start at 0.
 */
import { tf } from '../engine';
import { addBias } from './bias';
import { convolve } from './convolution';
import type { Parameters } from './parameters';

export type Layer = (x: tf.Tensor) => tf.Tensor;

export interface Conv2dOptions {
  inChannels: number;
  outChannels: number;
  /** Side of the square kernel, default 3. */
  kernelSize?: number;
  /** Default 1; 2 halves height and width. */
  stride?: number;
  /** Start at 0, so that a residual branch starts as the identity. */
  zeroInit?: boolean;
}

/** `y = x * W + b` with same padding: `[B, H, W, in]` to `[B, H / stride, W / stride, out]`. */
export function conv2d(parameters: Parameters, options: Conv2dOptions): Layer {
  const { inChannels, outChannels, kernelSize = 3, stride = 1, zeroInit = false } = options;
  const std = zeroInit ? 0 : 1 / Math.sqrt(kernelSize * kernelSize * inChannels);
  const shape = [kernelSize, kernelSize, inChannels, outChannels];
  const kernel = zeroInit ? parameters.constant('kernel', shape, 0) : parameters.normal('kernel', shape, std);
  const bias = parameters.constant('bias', [outChannels], 0);
  return (x) => tf.tidy(() => addBias(convolve(x, kernel, stride), bias));
}

export interface DenseOptions {
  inputs: number;
  outputs: number;
  /** Start at 0: the layer first says 0, whatever it sees. */
  zeroInit?: boolean;
}

/** `y = x W + b`: `[B, in]` to `[B, out]`. */
export function dense(parameters: Parameters, options: DenseOptions): Layer {
  const { inputs, outputs, zeroInit = false } = options;
  const shape = [inputs, outputs];
  const kernel = zeroInit
    ? parameters.constant('kernel', shape, 0)
    : parameters.normal('kernel', shape, 1 / Math.sqrt(inputs));
  const bias = parameters.constant('bias', [outputs], 0);
  return (x) => tf.tidy(() => addBias(tf.matMul(x as tf.Tensor2D, kernel as tf.Variable<tf.Rank.R2>), bias));
}

/** Nearest-neighbour enlargement by 2: each pixel becomes a 2 x 2 block (no checkerboard, unlike a transposed convolution). */
export function upsample2(x: tf.Tensor): tf.Tensor {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * height, 2 * width]);
}
