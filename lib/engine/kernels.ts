import {
  backend_util,
  GatherV2,
  GatherV2Attrs,
  GatherV2Inputs,
  KernelConfig,
  Round,
  scalar,
  Tensor,
  TensorInfo,
} from '@tensorflow/tfjs';
import {
  createTensorsTypeOpAttr,
  NodeJSKernelBackend,
} from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import { Attribute, AttributeType } from './attributes';
import { TensorFlowError } from './libtensorflow';

const backendName = 'tensorflow';

/**
 * `tf.gather` without tfjs-node's read-back of the indices, which waits for the device at every call. TensorFlow checks
 * the bounds itself: an index out of range is an error on the CPU and reads as zero on a GPU.
 */
const gatherV2: KernelConfig = {
  kernelName: GatherV2,
  backendName,
  kernelFunc: (args) => {
    const { x, indices } = args.inputs as Record<keyof GatherV2Inputs, TensorInfo>;
    const { axis, batchDims } = args.attrs as unknown as GatherV2Attrs;
    const backend = args.backend as NodeJSKernelBackend;
    backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims);
    const axisTensor = scalar(axis, 'int32');
    try {
      const attributes = [
        { name: 'batch_dims', type: AttributeType.int, value: batchDims },
        createTensorsTypeOpAttr('Tparams', x.dtype),
        createTensorsTypeOpAttr('Tindices', indices.dtype),
        createTensorsTypeOpAttr('Taxis', 'int32'),
      ];
      return backend.executeSingleOutput(GatherV2, attributes, [x, indices, axisTensor]);
    } catch (error) {
      throw inWordsOfTfjs(error);
    } finally {
      axisTensor.dispose();
    }
  },
};

/** tfjs's own sentence for an index out of range. */
function inWordsOfTfjs(error: unknown): unknown {
  if (!(error instanceof TensorFlowError)) return error;
  const [, index, size] = /= (-?\d+) is not in \[0, (\d+)\)/.exec(error.reason) ?? [];
  if (index === undefined) return error;
  const reason = `the index value ${index} is not in [0, ${Number(size) - 1}]`;
  return new TensorFlowError(error.code, error.operation, reason, error.inputs);
}

/** `tf.round`, which leaves whole numbers as they are: TensorFlow's own kernel turns every int32 into 0 on the CPU. */
const round: KernelConfig = {
  kernelName: Round,
  backendName,
  kernelFunc: (args) => {
    const { x } = args.inputs as Record<'x', TensorInfo>;
    const backend = args.backend as NodeJSKernelBackend;
    return backend.executeSingleInput(x.dtype === 'int32' ? 'Identity' : Round, x);
  },
};

/** A kernel that is one op of TensorFlow on inputs in a fixed order, all of one type. */
const direct = (
  kernelName: string,
  inputNames: readonly string[],
  attributes: readonly Attribute[] = [],
): KernelConfig => ({
  kernelName,
  backendName,
  kernelFunc: (args) => {
    const inputs = inputNames.map((name) => (args.inputs as Record<string, TensorInfo>)[name]);
    const all = [createTensorsTypeOpAttr('T', inputs[0].dtype), ...attributes];
    return (args.backend as NodeJSKernelBackend).executeSingleOutput(kernelName, all, inputs as Tensor[]);
  },
});

const channelsLast: Attribute = { name: 'data_format', type: AttributeType.string, value: 'NHWC' };

/**
 * Ops that tfjs has no function for and spells out in several: a bias, which TensorFlow's graph optimiser joins to the
 * convolution before it, and the gradients of bias and ReLU.
 */
const additions: readonly KernelConfig[] = [
  direct('BiasAdd', ['value', 'bias'], [channelsLast]),
  direct('BiasAddGrad', ['dy'], [channelsLast]),
  direct('ReluGrad', ['dy', 'y']),
];

/** The kernels that stand in the place of tfjs-node's, and those that it lacks. */
export const kernels: readonly KernelConfig[] = [gatherV2, round, ...additions];
