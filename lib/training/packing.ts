/** Many tensors as one vector: optimiser and EMA work on the vector, in a dozen ops instead of a dozen per parameter. */
import { tf } from '../engine';

/** The tensors end to end, as `[total size]`; the caller owns the result. */
export function pack(tensors: tf.Tensor[]): tf.Tensor1D {
  return tf.tidy(() => tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1]) as tf.Tensor1D)));
}

/** The inverse of `pack`: pieces of the given shapes, which the caller owns. */
export function unpack(packed: tf.Tensor1D, shapes: number[][]): tf.Tensor[] {
  return tf.tidy(() => {
    const sizes = shapes.map((shape) => shape.reduce((product, n) => product * n, 1));
    return tf.split(packed, sizes).map((piece, i) => tf.reshape(piece, shapes[i]));
  });
}

/** Gives every variable its piece of `packed`. */
export function assignPacked(variables: tf.Variable[], packed: tf.Tensor1D): void {
  tf.tidy(() => {
    unpack(
      packed,
      variables.map((variable) => variable.shape),
    ).forEach((piece, i) => variables[i].assign(piece));
  });
}

/**
 * The gradients of all variables as one vector, in their order; the caller owns it.
 *
 * @param gradients by variable name, as `tf.variableGrads` returns them
 * @throws when a variable has none: the loss does not depend on it.
 */
export function packGradients(variables: tf.Variable[], gradients: tf.NamedTensorMap): tf.Tensor1D {
  const missing = variables.findIndex(({ name }) => !(name in gradients));
  if (missing >= 0) {
    throw new Error(
      `Parameter ${missing} of shape [${variables[missing].shape}] has no gradient: the loss does not depend on it; use it in the network or leave it out.`,
    );
  }
  return pack(variables.map((variable) => gradients[variable.name]));
}
