/** TensorFlow.js on TensorFlow's own library: importing this file starts it. */
import './repair-util';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import { Attribute } from './attributes';
import { Device, openDevice } from './device';
import { kernels } from './kernels';
import { Values } from './tensors';

const NAME = 'tensorflow';

// Opened here and not in the factory below: tfjs reports a factory that throws as a mere warning.
const opened = openDevice();

for (const kernel of kernels) {
  if (tf.getKernel(kernel.kernelName, NAME)) tf.unregisterKernel(kernel.kernelName, NAME);
  tf.registerKernel(kernel);
}
tf.registerBackend(NAME, () => new NodeJSKernelBackend(opened.binding, '@tensorflow/tfjs-node-gpu'), 3);
void tf.setBackend(NAME);

export const device: Device = opened.device;

/** A tensor of a type that tfjs has not (uint64, say), as an input of a raw op. */
export interface RawInput {
  shape: number[];
  dtype: number;
  values: Values;
}

/** Runs a TensorFlow op with one output that tfjs has no function for; the caller owns the tensor. */
export function executeRaw(name: string, attributes: Attribute[], inputs: RawInput[]): tf.Tensor {
  const backend = tf.backend() as unknown as {
    binding: NodeJSKernelBackend['binding'];
    createOutputTensor(metadata: object): tf.Tensor;
  };
  const ids: number[] = [];
  try {
    for (const { shape, dtype, values } of inputs) {
      ids.push(backend.binding.createTensor(shape, dtype, values as Float32Array));
    }
    return backend.createOutputTensor(backend.binding.executeOp(name, attributes, ids, 1)[0]);
  } finally {
    ids.forEach((id) => backend.binding.deleteTensor(id));
  }
}
