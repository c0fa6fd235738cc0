/** Gaussians whose coordinate i leans on those before it: `x_i = mean_i + sum_{j<i} C_ij (x_j - mean_j) + sqrt(v_i) z_i`. */
import { tf } from '../engine';

/** How many numbers are below the diagonal. */
export const couplings = (dims: number): number => (dims * (dims - 1)) / 2;

/** `[B, D (D - 1) / 2]` numbers as strictly lower matrices `[B, D, D]`, row by row. */
export function strictlyLower(numbers: tf.Tensor, dims: number): tf.Tensor3D {
  const places = Array.from({ length: dims }, (_, i) => Array.from({ length: i }, (_row, j) => i * dims + j));
  const rows = places.flat().map((place) => {
    const row = new Array<number>(dims * dims).fill(0);
    row[place] = 1;
    return row;
  });
  return tf.reshape(tf.matMul(numbers as tf.Tensor2D, tf.tensor2d(rows)), [-1, dims, dims]);
}

/** `C d` for each sample: `[B, D, D]` and `[B, D]`. */
export function leaning(coupling: tf.Tensor3D, d: tf.Tensor): tf.Tensor {
  return tf.sum(tf.mul(coupling, tf.expandDims(d, 1)), 2);
}

/** `(I - C)^-1 u`: what coordinates with own parts u become. C is nilpotent, so D - 1 rounds suffice. */
export function spread(coupling: tf.Tensor3D, u: tf.Tensor): tf.Tensor {
  let x = u;
  for (let i = 1; i < u.shape[1]!; i++) x = tf.add(u, leaning(coupling, x));
  return x;
}

/** `(I - C)^-T u`. */
export function gathered(coupling: tf.Tensor3D, u: tf.Tensor): tf.Tensor {
  return spread(tf.transpose(coupling, [0, 2, 1]), u);
}
