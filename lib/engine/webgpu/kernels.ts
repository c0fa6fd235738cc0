/** Kernels made of others: those of `lib` that tfjs's WebGPU backend lacks, and those that are too coarse there. */
import * as tf from '@tensorflow/tfjs';

/** pi / 2 as a sum of float32 numbers, the first two so short that their products with whole numbers are exact. */
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.549789954891882e-8];

/** `1 + x c1 + x^2 c1 c2 + ...` by Horner's rule. */
const nested = (x: tf.Tensor, [first, ...rest]: number[]): tf.Tensor =>
  tf.add(tf.mul(rest.length > 0 ? tf.mul(nested(x, rest), x) : x, first), 1);

/**
 * `sin(x + shift pi / 2)` to float32 rounding for |x| up to 10^5, from the Taylor series around the nearest multiple of
 * pi / 2. WGSL itself promises no more than an absolute error of 2^-11, and for |x| <= pi only: too coarse for the time
 * embedding, whose angles are whole steps.
 */
function sine(x: tf.Tensor, shift: 0 | 1): tf.Tensor {
  const quarter = tf.round(tf.mul(x, 2 / Math.PI));
  const r = HALF_PI.reduce<tf.Tensor>((rest, part) => tf.sub(rest, tf.mul(quarter, part)), x);
  const square = tf.square(r);
  const sin = tf.mul(r, nested(square, [-1 / 6, -1 / 20, -1 / 42, -1 / 72]));
  const cos = nested(square, [-1 / 2, -1 / 12, -1 / 30, -1 / 56, -1 / 90]);
  const turned = tf.add(quarter, shift);
  const half = tf.floor(tf.mul(turned, 0.5));
  const odd = (whole: tf.Tensor): tf.Tensor => tf.sub(whole, tf.mul(tf.floor(tf.mul(whole, 0.5)), 2));
  const value = tf.where(tf.greater(odd(turned), 0.5), cos, sin);
  return tf.mul(value, tf.sub(1, tf.mul(odd(half), 2)));
}

const composed = (
  kernelName: string,
  make: (inputs: Record<string, tf.Tensor>) => tf.Tensor,
): tf.KernelConfig => ({
  kernelName,
  backendName: 'webgpu',
  kernelFunc: ({ inputs }) => tf.tidy(() => make(inputs as Record<string, tf.Tensor>)),
});

export const kernels: readonly tf.KernelConfig[] = [
  composed('BiasAdd', ({ value, bias }) => tf.add(value, bias)),
  composed('BiasAddGrad', ({ dy }) => tf.sum(dy, [...dy.shape.keys()].slice(0, -1))),
  composed('Sin', ({ x }) => sine(x, 0)),
  composed('Cos', ({ x }) => sine(x, 1)),
  composed('ReluGrad', ({ dy, y }) => tf.where(tf.greater(y, 0), dy, tf.zerosLike(dy))),
];
