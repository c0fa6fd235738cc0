/** The machine's peak: the engine's bare convolution, with nothing before or after it. */
import { backend } from '../compile/backend';
import { createGenerator, tf } from '../engine';
import { AttributeType } from '../engine/attributes';
import type { EagerBinding } from '../engine/binding';
import { DataType } from '../engine/dtypes';
import { timed, type Job } from './job';
import type { ConvolutionWorkload } from './workload';

const type = (name: string, value: number) => ({ name, type: AttributeType.type, value });
const list = (name: string, value: number[]) => ({ name, type: AttributeType.int, value });

/** Runs the op itself on values that have its type already, so that no conversion is counted. */
export function convolutionJob(workload: ConvolutionWorkload, precision: 'float32' | 'bfloat16'): Job {
  const binding = backend().binding as EagerBinding;
  const dtype = DataType[precision];
  const factor = (name: string, shape: number[]): number => {
    const values = createGenerator(0).fork(name).normal(shape);
    const float = binding.createTensor(shape, DataType.float32, values.dataSync() as Float32Array);
    values.dispose();
    if (precision === 'float32') return float;
    const attributes = [type('SrcT', DataType.float32), type('DstT', dtype)];
    const [{ id }] = binding.executeOp('Cast', attributes, [float], 1);
    binding.deleteTensor(float);
    return id;
  };
  const inputs = [factor('input', workload.input), factor('kernel', workload.kernel)];
  const attributes = [
    type('T', dtype),
    list('strides', [1, workload.stride, workload.stride, 1]),
    { name: 'padding', type: AttributeType.string, value: 'SAME' },
  ];
  const convolve = (): void => {
    const [{ id }] = binding.executeOp('Conv2D', attributes, inputs, 1);
    binding.deleteTensor(id);
  };
  return {
    run: async () => {
      const elapsed = await timed(convolve);
      await tf.nextFrame();
      return elapsed;
    },
    dispose: () => inputs.forEach((id) => binding.deleteTensor(id)),
  };
}
