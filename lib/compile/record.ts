/** Records one run of a JavaScript function on tensors as a TensorFlow function. */
import { isPromise } from 'node:util/types';
import { tf } from '../engine';
import type { EagerBinding, ShapeAndType } from '../engine/binding';
import type { EagerContext } from '../engine/context';
import { DataType } from '../engine/dtypes';
import { api } from '../engine/libtensorflow';
import { backend, idOf, typeOf } from './backend';
import { RecordingError } from './error';
import { Graph, type Output } from './graph';
import type { Precision } from './precision';
import { type Real, Recorder } from './recorder';
import { StandIns } from './standIns';

/** What a compiled function may return; a call gives the same form back. */
export type Result = tf.Tensor | tf.Tensor[] | Record<string, tf.Tensor>;

/** One input of the function, and where its tensor comes from at a call. */
export type Source =
  | { kind: 'argument'; index: number }
  | { kind: 'variable'; variable: tf.Variable }
  | { kind: 'capture'; id: number; what: ShapeAndType };

export interface Recording {
  /** An op of `context` by this name is the function. */
  name: string;
  context: EagerContext;
  inputs: Source[];
  /** First what the function returns, then the new values of `assigned`. */
  outputs: ShapeAndType[];
  assigned: tf.Variable[];
  /** Variables whose values are part of the function: it is right as long as they keep them. */
  frozen: ReadonlyMap<tf.Variable, Real>;
  /** Names of functions that only this one calls. */
  parts: readonly string[];
  /** Puts the first outputs into the form that the function returned. */
  form: (tensors: tf.Tensor[]) => Result;
}

export interface RecordOptions {
  name: string;
  precision: Precision;
  /** Make the values of variables part of the function, default false. */
  freeze?: boolean;
  /** Arguments and results that cross the border of the function in bfloat16, by number; none by default. */
  narrow?: { args: readonly number[]; results: readonly number[] };
}

/**
 * Runs `fn` once on tensors without values and makes what it did a function of TensorFlow.
 *
 * Variables are inputs if `fn` reads them and outputs if it assigns to them; their values stay as they are. Whatever
 * happens, engine and variables are as before when this returns or throws.
 *
 * @throws {RecordingError} when something in `fn` needs a value.
 */
export function record(
  fn: (...tensors: tf.Tensor[]) => Result,
  args: tf.Tensor[],
  options: RecordOptions,
): Recording {
  const be = backend();
  const outer = be.binding;
  const around = outer instanceof Recorder ? outer : undefined;
  const binding = outer instanceof Recorder ? outer.binding : outer;
  const graph = new Graph();
  const recorder = new Recorder(binding, graph, { ...options, outer: around });
  const { precisions, frozen, parts } = recorder;
  const { freeze = false, narrow = { args: [], results: [] } } = options;
  const random = Math.random;
  let standIns: StandIns | undefined;
  let recording: Recording | undefined;
  be.binding = recorder;
  Math.random = noRandomness;
  try {
    tf.tidy(() => {
      const given = args.map(typeOf);
      const placeholders = given.map((what, i) =>
        graph.placeholder(narrow.args.includes(i) ? { ...what, dtype: DataType.bfloat16 } : what),
      );
      const symbols = given.map((what, i) => {
        const value = placeholders[i];
        const wide = narrow.args.includes(i) ? precisions.fromBfloat16(value) : value;
        return be.createOutputTensor(recorder.symbol(what, wide));
      });
      standIns = new StandIns(recorder);
      const result = fn(...symbols);
      standIns.requireNoOthers();
      const { tensors, form } = disassemble(result);
      const assigned = standIns.assigned();
      if (freeze && assigned.length > 0) {
        throw new RecordingError('it assigns to a variable, whose value is to be fixed: leave out freeze');
      }
      const returned = [...tensors, ...assigned];
      const outputs = returned.map((tensor, i) => {
        const value = recorder.output(idOf(tensor));
        return identity(graph, narrow.results.includes(i) ? precisions.toBfloat16(value) : value);
      });
      const inputs: [Source, Output][] = [
        ...placeholders.map((output, index): [Source, Output] => [{ kind: 'argument', index }, output]),
        ...standIns.inputs,
        ...recorder.captures.map(({ id, output, ...what }): [Source, Output] => [
          { kind: 'capture', id, what },
          output,
        ]),
      ];
      define(binding, graph, options.name, [inputs.map(([, output]) => output), outputs]);
      recording = {
        name: options.name,
        context: binding.context,
        inputs: inputs.map(([source]) => source),
        outputs: returned.map(typeOf),
        assigned,
        frozen,
        parts,
        form,
      };
    });
  } finally {
    Math.random = random;
    standIns?.restore();
    be.binding = outer;
    graph.dispose();
    if (!recording) parts.forEach((name) => binding.context.removeFunction(name));
  }
  if (recorder.alive > 0) {
    remove(recording as unknown as Recording);
    throw new RecordingError('it keeps a tensor alive (tf.keep): return it');
  }
  return recording as unknown as Recording;
}

/** Takes a recorded function, and those that only it calls, out of TensorFlow's memory. */
export function remove({ name, parts, context }: Recording): void {
  [name, ...parts].forEach((one) => context.removeFunction(one));
}

function define(
  binding: EagerBinding,
  graph: Graph,
  name: string,
  [inputs, outputs]: [Output[], Output[]],
): void {
  const definition = graph.toFunction(name, inputs, outputs);
  try {
    binding.context.addFunction(definition);
  } finally {
    api.TF_DeleteFunction(definition);
  }
}

/** A value of its own for what is returned: an input may be returned as it is, or one value twice. */
function identity(graph: Graph, output: Output): Output {
  return { oper: graph.add('Identity', [], [output]), index: 0 };
}

function noRandomness(): never {
  throw new RecordingError(
    'it draws random numbers in JavaScript (Math.random, tf.randomNormal), which would be the same at every call: ' +
      'draw them from a generator outside and pass them in',
  );
}

/** The tensors of a result, and how to put others in their places. */
function disassemble(result: Result): { tensors: tf.Tensor[]; form: Recording['form'] } {
  if (result instanceof tf.Tensor) return { tensors: [result], form: ([tensor]) => tensor };
  const isList = Array.isArray(result);
  const names = Object.keys((result as object | undefined) ?? {});
  const tensors = names.map((name) => (result as Record<string, tf.Tensor>)[name]);
  if (isPromise(result)) {
    result.catch(() => undefined); // what it still does has no meaning any more
    throw new RecordingError('it is asynchronous: leave out async and await');
  }
  if (
    result === null ||
    typeof result !== 'object' ||
    tensors.some((value) => !(value instanceof tf.Tensor))
  ) {
    throw new RecordingError('it returns something other than a tensor, a list or an object of tensors');
  }
  const form: Recording['form'] = (values) =>
    isList ? values : Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return { tensors, form };
}
