import type { tf } from '../engine';
import type { Result } from './record';

/** A function on tensors that runs as one TensorFlow function. Its results belong to the caller. */
export interface Compiled<Args extends tf.Tensor[], R extends Result> {
  (...args: Args): R;
  /** The same on a thread of its own: the event loop goes on meanwhile. One call at a time, if it assigns variables. */
  async(...args: Args): Promise<R>;
  /** Functions recorded so far: one for each combination of shapes and types of the arguments. */
  readonly recordings: number;
  /** Frees them (garbage collection would, some day); a later call records anew. */
  dispose(): void;
}
