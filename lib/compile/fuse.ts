import { tf } from '../engine';
import { backend, isRecording, typeOf } from './backend';
import { RecordingError } from './error';
import { record, type Recording, type Result } from './record';
import type { Recorder } from './recorder';

/** Below this many elements a pass over memory costs less than what XLA adds. */
const WORTHWHILE = 2 ** 17;

let count = 0;

/**
 * A part of compiled functions that XLA makes few loops of: element-wise arithmetic, in which TensorFlow would write every
 * intermediate result to memory and read it again. Where nothing is compiled, or the first argument is small, it is
 * simply `fn`.
 *
 * @param fn works on its arguments only, and reads no variable
 */
export function fuse<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  { name = fn.name || 'part', from = WORTHWHILE }: { name?: string; from?: number } = {},
): (...args: Args) => R {
  const recordings = new Map<string, Recording>();
  return (...args) => {
    if (!isRecording() || args[0].size < from) return fn(...args);
    const key = args.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(' ');
    let part = recordings.get(key);
    if (!part) {
      part = record(fn as unknown as (...tensors: tf.Tensor[]) => Result, args, {
        name: `${name.replace(/\W/g, '_')}_part_${count++}`,
        precision: 'float32',
      });
      if (part.inputs.length > args.length) {
        throw new RecordingError('a fused part reads a tensor that is not among its arguments');
      }
      recordings.set(key, part);
    }
    return call(part, args) as R;
  };
}

/** The part as one node of the function that is being recorded. */
function call(part: Recording, args: tf.Tensor[]): Result {
  const recorder = backend().binding as Recorder;
  const inputs = backend()
    .getInputTensorIds(args)
    .map((id) => recorder.output(id));
  const outputs = recorder.graph.call(part.name, inputs, args.map(typeOf), part.outputs);
  return part.form(
    outputs.map((output, i) => backend().createOutputTensor(recorder.symbol(part.outputs[i], output))),
  );
}
