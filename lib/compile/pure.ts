import { tf } from '../engine';
import { compile, type Compiled } from './compile';
import type { Result } from './record';

const FORM = Symbol('compiled form');

/**
 * Declares that a function of tensors depends on nothing but its arguments and on variables: long loops (samplers,
 * validation) may then run it compiled. Networks of this library are declared; your own function must keep the
 * promise: numbers of its closure are fixed at its first run.
 *
 * @returns the function itself, which still runs op by op where it is called
 */
export function pure<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  options?: { name?: string },
): (...args: Args) => R {
  return Object.defineProperty(fn, FORM, { value: compile(fn, options) });
}

/**
 * Runs a function: compiled, while the event loop goes on, if it was declared `pure`; else op by op. The result is the
 * caller's, also where `fn` returns a tensor that it keeps, or its argument.
 */
export async function run<Args extends tf.Tensor[], R extends tf.Tensor>(
  fn: (...args: Args) => R,
  args: Args,
  { eager = false }: { eager?: boolean } = {},
): Promise<R> {
  const form = (fn as { [FORM]?: Compiled<Args, R> })[FORM];
  if (form && !eager) return form.async(...args);
  return tf.tidy(() => {
    const result = fn(...args);
    return result instanceof tf.Tensor ? result.clone() : result;
  });
}
