import { isPromise } from 'node:util/types';
import { tf } from '../engine';
import { compile, type Compiled } from './compile';
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

/** Throws unless the two can go together. */
export function assertRunOptions({ eager = false, precision = 'float32' }: RunOptions): void {
  if (precision !== 'float32' && precision !== 'bfloat16') {
    throw new Error(`precision = ${String(precision)}: choose 'float32' or 'bfloat16'.`);
  }
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
  return Object.defineProperty(fn, FORMS, { value: new Map<Precision, Compiled<Args, R>>() });
}

/**
 * Runs a function: compiled, while the event loop goes on, if it was declared `pure`; else op by op. The result is the
 * caller's, also where `fn` returns a tensor that it keeps, or its argument.
 *
 * @throws when `fn` is asynchronous
 */
export async function run<Args extends tf.Tensor[], R extends tf.Tensor>(
  fn: (...args: Args) => R,
  args: Args,
  { eager = false, precision = 'float32' }: RunOptions = {},
): Promise<R> {
  const forms = (fn as { [FORMS]?: Map<Precision, Compiled<Args, R>> })[FORMS];
  if (forms && !eager) {
    const form = forms.get(precision) ?? compile(fn, { precision });
    forms.set(precision, form);
    return form.async(...args);
  }
  return tf.tidy(() => {
    const result = fn(...args);
    if (isPromise(result))
      throw new Error(`${fn.name || 'the function'} returned a promise (it must not be async).`);
    return result instanceof tf.Tensor ? result.clone() : result;
  });
}
