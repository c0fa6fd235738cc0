import type { tf } from '../engine';
import { onWebgpu } from '../engine/choice';
import { compile } from './compile';
import type { Compiled } from './compiled';
import { assertPrecision, runOpByOp } from './opByOp';
import type { Precision } from './precision';
import type { Result } from './record';

const FORMS = Symbol('compiled forms');

/** How a function is run. */
export interface RunOptions {
  /** Op by op, also where it could be compiled; default false. */
  eager?: boolean;
  /** Of the products, where it is compiled; default float32. */
  precision?: Precision;
}

/** How a loop runs the function at its core. */
export interface LoopOptions extends RunOptions {
  /** Fix the weights for many calls (see `CompileOptions.freeze`), default false. */
  freeze?: boolean;
}

/** Throws unless the two can go together. */
export function assertRunOptions({ eager = false, precision = 'float32' }: RunOptions): void {
  assertPrecision(precision);
  if (eager && precision === 'bfloat16') {
    throw new Error('precision = bfloat16 needs a compiled function: leave eager out, or use float32.');
  }
}

/**
 * Declares that a function of tensors depends on nothing but its arguments and on variables: long loops (samplers,
 * validation) may then run it compiled. Networks of this library are declared; your own function must keep the
 * promise: numbers of its closure are fixed at its first run.
 *
 * @returns the function itself, which still runs op by op where it is called
 */
export function pure<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
): (...args: Args) => R {
  if (formsOf(fn)) return fn;
  return Object.defineProperty(fn, FORMS, { value: { compiled: new Map(), derived: new Map() } });
}

interface Forms<Args extends tf.Tensor[], R extends Result> {
  /** By precision, and whether the weights are fixed. */
  compiled: Map<string, Compiled<Args, R>>;
  /** Functions made from this one, by name. */
  derived: Map<string, unknown>;
}

const formsOf = <Args extends tf.Tensor[], R extends Result>(fn: object): Forms<Args, R> | undefined =>
  (fn as { [FORMS]?: Forms<Args, R> })[FORMS];

/** Whether a loop may run a function compiled. */
export const isPure = (fn: object): boolean => !onWebgpu && formsOf(fn) !== undefined;

/** A function of tensors made from `fn`: of a pure one it is made once, and is pure itself. */
export function derived<F extends object, Args extends tf.Tensor[], R extends Result>(
  fn: F,
  name: string,
  make: (fn: F) => (...args: Args) => R,
): (...args: Args) => R {
  const forms = formsOf(fn);
  if (!forms) return make(fn);
  const known = (forms.derived.get(name) as ReturnType<typeof make> | undefined) ?? pure(make(fn));
  forms.derived.set(name, known);
  return known;
}

/**
 * Runs a function: compiled, while the event loop goes on, if it was declared `pure`; else op by op. The result is the
 * caller's, also where `fn` returns a tensor that it keeps, or its argument.
 *
 * @throws when `fn` is asynchronous
 */
export async function run<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  args: Args,
  { eager = false, precision = 'float32', freeze = false }: LoopOptions = {},
): Promise<R> {
  const forms = formsOf<Args, R>(fn);
  if (forms && !eager) {
    const key = `${precision} ${freeze}`;
    const form = forms.compiled.get(key) ?? compile(fn, { precision, freeze });
    forms.compiled.set(key, form);
    return form.async(...args);
  }
  return runOpByOp(fn, args);
}
