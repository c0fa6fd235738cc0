import { device, tf } from '../engine';
import type { ShapeAndType } from '../engine/binding';
import { DataType } from '../engine/dtypes';
import { backend, isRecording, typeOf } from './backend';
import { RecordingError } from './error';
import type { Output } from './graph';
import { record, type Recording, type Result } from './record';
import type { Recorder } from './recorder';

/** Below this many elements a pass over memory costs less than what XLA adds. */
const WORTHWHILE = 2 ** 14;

let count = 0;

export interface FuseOptions {
  name?: string;
  /** Elements of the first argument from which on it is worth it. */
  from?: number;
  /** Whether XLA may compile it: by default on a CPU. On a GPU nothing has been measured, nor run. */
  xla?: boolean;
  /** Results, by number, that may be rounded to bfloat16 where a function is compiled for it; none by default. */
  narrow?: readonly number[];
}

interface Part {
  recording: Recording;
  /** Arguments and results that cross the border in bfloat16. */
  narrow: { args: number[]; results: readonly number[] };
}

/**
 * A part of compiled functions that XLA makes few loops of: element-wise arithmetic, in which TensorFlow would write every
 * intermediate result to memory and read it again. Where nothing is compiled, on a GPU, or if the first argument is
 * small, it is simply `fn`. In either case it is computed in float32.
 *
 * @param fn works on its arguments only, and reads no variable
 */
export function fuse<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  { name = fn.name || 'part', from = WORTHWHILE, xla, narrow = [] }: FuseOptions = {},
): (...args: Args) => R {
  const parts = new Map<string, Part>();
  return (...args) => {
    if (!isRecording()) return fn(...args);
    const { precisions } = backend().binding as Recorder;
    const worthwhile = (xla ?? device().kind === 'cpu') && args[0].size >= from;
    if (!worthwhile) return precisions.exactly(() => fn(...args));
    const inputs = inputsOf(args);
    const crossing = {
      // What comes in bfloat16 is taken as it is, and widened inside.
      args: [...inputs.keys()].filter((i) => precisions.twin(inputs[i])),
      results: precisions.precision === 'bfloat16' ? narrow : [],
    };
    const key = [...args.map(({ dtype, shape }) => `${dtype}[${shape}]`), JSON.stringify(crossing)].join(' ');
    let part = parts.get(key);
    if (!part) {
      const recording = record(fn as unknown as (...tensors: tf.Tensor[]) => Result, args, {
        name: `${name.replace(/\W/g, '_')}_part_${count++}`,
        precision: 'float32',
        narrow: crossing,
      });
      if (recording.inputs.length > args.length) {
        throw new RecordingError('a fused part reads a tensor that is not among its arguments');
      }
      parts.set(key, (part = { recording, narrow: crossing }));
    }
    return call(part, args) as R;
  };
}

/** Where the tensors are in the graph that is being recorded. */
function inputsOf(args: tf.Tensor[]): Output[] {
  const recorder = backend().binding as Recorder;
  return backend()
    .getInputTensorIds(args)
    .map((id) => recorder.output(id));
}

/** The part as one node of the function that is being recorded. */
function call({ recording, narrow }: Part, args: tf.Tensor[]): Result {
  const recorder = backend().binding as Recorder;
  const { graph, precisions } = recorder;
  const narrowed = (what: ShapeAndType): ShapeAndType => ({ ...what, dtype: DataType.bfloat16 });
  const inputs = inputsOf(args).map((input, i) =>
    narrow.args.includes(i) ? (precisions.twin(input) as Output) : input,
  );
  const given = args.map((tensor, i) =>
    narrow.args.includes(i) ? narrowed(typeOf(tensor)) : typeOf(tensor),
  );
  const returned = recording.outputs.map((what, i) => (narrow.results.includes(i) ? narrowed(what) : what));
  const outputs = graph.call(recording.name, inputs, given, returned);
  return recording.form(
    outputs.map((output, i) => {
      const wide = narrow.results.includes(i) ? precisions.fromBfloat16(output) : output;
      return backend().createOutputTensor(recorder.symbol(recording.outputs[i], wide));
    }),
  );
}
