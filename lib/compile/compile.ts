import { tf } from '../engine';
import { type Attribute, AttributeType } from '../engine/attributes';
import type { EagerBinding, TensorMetadata } from '../engine/binding';
import { onWebgpu } from '../engine/choice';
import { dataTypeName } from '../engine/dtypes';
import { backend, idOf, isRecording } from './backend';
import type { Compiled } from './compiled';
import { assertPrecision, uncompiled } from './opByOp';
import type { Precision } from './precision';
import { record, remove, type Recording, type Result, type Source } from './record';

export interface CompileOptions {
  /** Default float32. */
  precision?: Precision;
  /** Let XLA compile the whole function, default false: it is slower on a CPU. */
  xla?: boolean;
  /**
   * Make the values of variables part of the function, default false: faster for many calls with the same weights, since
   * TensorFlow prepares them once. The first call after a variable has changed records anew.
   */
  freeze?: boolean;
  /** What errors call it, default the name of the function. */
  name?: string;
}

let count = 0;

/** A recording in use: TensorFlow may not forget it while a call of it runs on another thread. */
interface Entry {
  recording: Recording;
  running: number;
  retired: boolean;
}

/** Removes the functions of a compiled function that nobody can call any more. */
const abandoned = new FinalizationRegistry<Map<string, Entry>>(retireAll);

function retireAll(entries: Map<string, Entry>): void {
  for (const entry of entries.values()) retire(entry);
  entries.clear();
}

function retire(entry: Entry): void {
  entry.retired = true;
  if (entry.running === 0) remove(entry.recording);
}

/** Whether the values that are part of the function are still those of their variables. */
function isCurrent({ frozen }: Recording, name: string): boolean {
  return [...frozen].every(([variable, { dataId }]) => alive(variable, name).dataId === dataId);
}

function alive(variable: tf.Variable, name: string): tf.Variable {
  if (!variable.isDisposed) return variable;
  throw new Error(`${name} uses the variable ${variable.name}, which was disposed of: compile it anew.`);
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
  const { precision = 'float32', xla = false, freeze = false, name = fn.name || 'function' } = options;
  assertPrecision(precision);
  if (onWebgpu) return uncompiled(fn);
  const entries = new Map<string, Entry>();
  const attributes: Attribute[] = [
    // Without this attribute, however empty, TensorFlow does not optimise the function's graph.
    { name: 'config_proto', type: AttributeType.string, value: '' },
    ...(xla ? [{ name: '_XlaMustCompile', type: AttributeType.bool, value: true }] : []),
  ];

  const prepare = (args: Args): { entry: Entry; ids: number[] } => {
    const key = args.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(' ');
    let entry = entries.get(key);
    if (entry && !isCurrent(entry.recording, name)) {
      entries.delete(key);
      retire(entry);
      entry = undefined;
    }
    if (!entry) {
      const recording = record(fn as unknown as (...tensors: tf.Tensor[]) => Result, args, {
        name: `${name.replace(/\W/g, '_')}_${count++}`,
        precision,
        freeze,
      });
      entries.set(key, (entry = { recording, running: 0, retired: false }));
    }
    return { entry, ids: entry.recording.inputs.map((source) => idOfSource(source, args, name)) };
  };

  const compiled = (...args: Args): R => {
    if (isRecording()) return fn(...args);
    const { entry, ids } = prepare(args);
    const { recording } = entry;
    const binding = backend().binding as EagerBinding;
    return finish(recording, binding.call(recording.name, attributes, ids, recording.outputs)) as R;
  };
  const async = async (...args: Args): Promise<R> => {
    if (isRecording()) return fn(...args);
    const { entry, ids } = prepare(args);
    const { recording } = entry;
    const binding = backend().binding as EagerBinding;
    entry.running++;
    try {
      const values = await binding.callAsync(recording.name, attributes, ids, recording.outputs);
      return finish(recording, values) as R;
    } finally {
      entry.running--;
      if (entry.retired) retire(entry);
    }
  };
  Object.defineProperty(compiled, 'recordings', { get: () => entries.size });
  abandoned.register(compiled, entries);
  return Object.assign(compiled, { async, dispose: () => retireAll(entries) }) as Compiled<Args, R>;
}

function idOfSource(source: Source, args: tf.Tensor[], name: string): number {
  switch (source.kind) {
    case 'argument':
      return idOf(args[source.index]);
    case 'variable':
      return idOf(alive(source.variable, name));
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
