/** The kernels of `lib` that tfjs's WebGPU backend lacks, made of those that it has. */
import * as tf from '@tensorflow/tfjs';

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
  composed('ReluGrad', ({ dy, y }) => tf.where(tf.greater(y, 0), dy, tf.zerosLike(dy))),
];
