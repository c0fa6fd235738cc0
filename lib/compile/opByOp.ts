/** A function on tensors run as it stands: where it was not declared pure, and where nothing can be compiled. */
import { isPromise } from 'node:util/types';
import { tf } from '../engine';
import { settled } from '../engine/backend';
import { onWebgpu } from '../engine/choice';
import type { Compiled } from './compiled';
import type { Precision } from './precision';
import type { Result } from './record';

/** Throws where a precision cannot be had. */
export function assertPrecision(precision: Precision): void {
  if (precision !== 'float32' && precision !== 'bfloat16') {
    throw new Error(`precision = ${String(precision)}: choose 'float32' or 'bfloat16'.`);
  }
  if (precision === 'bfloat16' && onWebgpu) {
    throw new Error('precision = bfloat16 needs TensorFlow, and TSDIFFUSION_DEVICE is webgpu: use float32.');
  }
}

/**
 * Calls a function; the result is the caller's, also where `fn` returns a tensor that it keeps, or its argument.
 *
 * @throws when `fn` is asynchronous
 */
export function runOpByOp<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
  args: Args,
): R {
  return tf.tidy(() => {
    const result = fn(...args);
    if (isPromise(result))
      throw new Error(`${fn.name || 'the function'} returned a promise (it must not be async).`);
    return own(result) as tf.TensorContainer;
  }) as R;
}

/** The same with new tensors: what a function returns may belong to somebody else. */
function own(result: Result): Result {
  if (result instanceof tf.Tensor) return result.clone();
  if (Array.isArray(result)) return result.map((tensor) => tensor.clone());
  return Object.fromEntries(Object.entries(result).map(([name, tensor]) => [name, tensor.clone()]));
}

/** In the place of a compiled function, where there is no TensorFlow to compile it. */
export function uncompiled<Args extends tf.Tensor[], R extends Result>(
  fn: (...args: Args) => R,
): Compiled<Args, R> {
  const async = async (...args: Args): Promise<R> => {
    const result = runOpByOp(fn, args);
    // Else a loop would hand the device all of its steps at once.
    await settled();
    return result;
  };
  return Object.assign((...args: Args) => runOpByOp(fn, args), { recordings: 0, async, dispose: () => {} });
}
