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

/** Another raw op, whose output is an input: it may be of a type that tfjs has not. */
export interface RawOp {
  op: string;
  attributes: Attribute[];
  inputs: RawValue[];
}

type RawValue = RawInput | RawOp | tf.Tensor;

interface Inner {
  binding: NodeJSKernelBackend['binding'];
  createOutputTensor(metadata: object): tf.Tensor;
  getInputTensorIds(tensors: tf.Tensor[]): number[];
}

/** Runs a TensorFlow op with one output that tfjs has no function for; the caller owns the tensor. */
export function executeRaw(op: string, attributes: Attribute[], inputs: RawValue[]): tf.Tensor {
  const inner = tf.backend() as unknown as Inner;
  return inner.createOutputTensor(execute(inner, { op, attributes, inputs }));
}

function execute(inner: Inner, { op, attributes, inputs }: RawOp): { id: number } {
  const { binding } = inner;
  const own: number[] = [];
  const idOf = (input: RawValue): number => {
    if (input instanceof tf.Tensor) return inner.getInputTensorIds([input])[0];
    const id =
      'op' in input
        ? execute(inner, input).id
        : binding.createTensor(input.shape, input.dtype, input.values as Float32Array);
    own.push(id);
    return id;
  };
  try {
    return binding.executeOp(op, attributes, inputs.map(idOf), 1)[0];
  } finally {
    own.forEach((id) => binding.deleteTensor(id));
  }
}
