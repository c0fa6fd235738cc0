import { tf } from '../engine';
import { type Attribute, AttributeType } from '../engine/attributes';
import type { EagerBinding, TensorMetadata } from '../engine/binding';
import { onWebgpu } from '../engine/choice';
import { dataTypeName } from '../engine/dtypes';
import { backend, idOf, isRecording } from './backend';
import type { Compiled } from './compiled';
import { assertPrecision, uncompiled } from './opByOp';
import type { Precision } from './precision';
import { record, type Recording, type Result, type Source } from './record';

export interface CompileOptions {
  /** Default float32. */
  precision?: Precision;
  /** Let XLA compile the whole function, default false: it is slower on a CPU. */
  xla?: boolean;
  /** What errors call it, default the name of the function. */
  name?: string;
}

let count = 0;

/** Removes the functions of a compiled function that nobody can call any more. */
const abandoned = new FinalizationRegistry<Map<string, Recording>>(removeAll);

function removeAll(recordings: Map<string, Recording>): void {
  for (const { name, context } of recordings.values()) context.removeFunction(name);
  recordings.clear();
}

/**
 * Makes one TensorFlow function of `fn`: the `tf.function` of this library.
 *
 * The first call with given shapes and types runs `fn` once and records every op, gradient and assignment in it; from
 * then on a call is a single native one, in which TensorFlow removes, fuses and reorders ops. What is not a tensor
 * (numbers, `if`s, loops, the closure's other values) is fixed at that moment. Tensors and variables of the closure are
 * read anew at each call; a tensor must not have been disposed of.
 *
 * Within another compiled function it is simply `fn`; on WebGPU it is `fn` op by op.
 *
 * @param fn takes tensors, returns a tensor, a list or an object of tensors; it may assign to variables
 * @throws {RecordingError} at a call, when `fn` cannot be recorded: it reads a value, draws random numbers in
 *   JavaScript, makes a variable, or uses an op that graphs do not have. The engine goes on as if nothing had happened.
 */
export function compile<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  options: CompileOptions = {},
): Compiled<Args, R> {
  const { precision = 'float32', xla = false, name = fn.name || 'function' } = options;
  assertPrecision(precision);
  if (onWebgpu) return uncompiled(fn);
  const recordings = new Map<string, Recording>();
  const attributes: Attribute[] = [
    // Without this attribute, however empty, TensorFlow does not optimise the function's graph.
    { name: 'config_proto', type: AttributeType.string, value: '' },
    ...(xla ? [{ name: '_XlaMustCompile', type: AttributeType.bool, value: true }] : []),
  ];

  const prepare = (args: Args): { recording: Recording; ids: number[] } => {
    const key = args.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(' ');
    let recording = recordings.get(key);
    if (!recording) {
      const unique = `${name.replace(/\W/g, '_')}_${count++}`;
      recording = record(fn as unknown as (...tensors: tf.Tensor[]) => Result, args, {
        name: unique,
        precision,
      });
      recordings.set(key, recording);
    }
    return { recording, ids: recording.inputs.map((source) => idOfSource(source, args, name)) };
  };

  const compiled = (...args: Args): R => {
    if (isRecording()) return fn(...args);
    const { recording, ids } = prepare(args);
    const binding = backend().binding as EagerBinding;
    return finish(recording, binding.call(recording.name, attributes, ids, recording.outputs)) as R;
  };
  const async = async (...args: Args): Promise<R> => {
    if (isRecording()) return fn(...args);
    const { recording, ids } = prepare(args);
    const binding = backend().binding as EagerBinding;
    return finish(
      recording,
      await binding.callAsync(recording.name, attributes, ids, recording.outputs),
    ) as R;
  };
  Object.defineProperty(compiled, 'recordings', { get: () => recordings.size });
  abandoned.register(compiled, recordings);
  return Object.assign(compiled, { async, dispose: () => removeAll(recordings) }) as Compiled<Args, R>;
}

function idOfSource(source: Source, args: tf.Tensor[], name: string): number {
  switch (source.kind) {
    case 'argument':
      return idOf(args[source.index]);
    case 'variable':
      if (!source.variable.isDisposed) return idOf(source.variable);
      throw new Error(
        `${name} uses the variable ${source.variable.name}, which was disposed of: compile it anew.`,
      );
    case 'capture': {
      const { id, what } = source;
      if ((backend().binding as EagerBinding).has(id)) return id;
      const described = `${dataTypeName(what.dtype)}[${what.shape}]`;
      throw new Error(
        `${name} uses a tensor ${described} from outside that was disposed of: keep it, or pass it as an argument.`,
      );
    }
  }
}

/** Variables get their new values; the rest is the result. */
function finish({ assigned, form }: Recording, values: TensorMetadata[]): Result {
  const tensors = values.map((value) => backend().createOutputTensor(value));
  const returned = tensors.length - assigned.length;
  assigned.forEach((variable, i) => {
    variable.assign(tensors[returned + i]);
    tensors[returned + i].dispose();
  });
  return form(tensors.slice(0, returned));
}
