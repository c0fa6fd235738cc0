import { tf } from '../engine';

/**
 * Throws unless two tensors have the same shape: broadcasting `[B,28,28,1]` against `[B,28,28]` would go through
 * without a word and average over the wrong pairs.
 */
export function assertSameShape(nameA: string, a: tf.Tensor, nameB: string, b: tf.Tensor): void {
  if (a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis])) return;
  throw new Error(`${nameA} has shape [${a.shape}] and ${nameB} has shape [${b.shape}]: they must be equal.`);
}

/** Throws unless t is a list of steps: int32 `[B]`. */
export function assertTimesteps(t: tf.Tensor): void {
  if (t.dtype !== 'int32') {
    throw new Error(`t is of type ${t.dtype}: steps are whole numbers 0..T-1, make it int32 (t.toInt()).`);
  }
  if (t.rank !== 1) throw new Error(`t has shape [${t.shape}]: it must be [B], one step for each sample.`);
}

/** Throws unless every step lies in 0..T-1; reads t back from the device. */
export function assertStepsWithin(t: tf.Tensor1D, T: number): void {
  t.dataSync().forEach((step, i) => {
    if (step < 0 || step >= T)
      throw new Error(`t[${i}] is ${step}: a schedule with T = ${T} has the steps 0..${T - 1}.`);
  });
}

/** Throws unless t holds one step for each sample of a batch. */
export function assertOneStepPerSample(t: tf.Tensor, name: string, batch: tf.Tensor): void {
  assertTimesteps(t);
  if (t.shape[0] !== batch.shape[0]) {
    throw new Error(
      `t has shape [${t.shape}] and ${name} has shape [${batch.shape}]: t must hold one step for each sample.`,
    );
  }
}
