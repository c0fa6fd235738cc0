/** The trace of a denoiser's Jacobian, by vector-Jacobian products. */
import type { Denoiser } from '../diffusion';
import { tf, type Generator } from '../engine';

/**
 * A denoiser with `sum_p v_p . (d eps / d x) v_p` for each sample: the trace itself for the unit vectors, `P` estimates of
 * it in one sum for P random ones. Samples of a batch must not depend on each other.
 *
 * @returns a function of xt `[B, ...]`, t `[B]` and directions `[P, B, ...]`, to eps and the sums `[B]`
 * @see Hutchinson 1990; Song et al. 2021 (arXiv 2011.13456), eq. 40
 */
export function epsAndTrace(
  denoiser: Denoiser,
): (xt: tf.Tensor, t: tf.Tensor1D, directions: tf.Tensor) => [tf.Tensor, tf.Tensor] {
  return (xt, t, directions) => {
    const products = tf.unstack(directions).map((v) => {
      const along = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(denoiser(x, t), v)));
      return tf.sum(tf.reshape(tf.mul(along(xt), v), [xt.shape[0], -1]), 1);
    });
    // Compiled, TensorFlow notices that the network is the same in all of them, and runs it once.
    return [denoiser(xt, t), tf.addN(products)];
  };
}

/** The unit vectors of a sample, for each of `size` samples: `[dims, size, ...shape]`. */
export function exactProbes(shape: number[], size: number): tf.Tensor {
  const dims = shape.reduce((product, length) => product * length, 1);
  return tf.tidy(() =>
    tf.reshape(tf.tile(tf.expandDims(tf.eye(dims), 1), [1, size, 1]), [dims, size, ...shape]),
  );
}

/** `count` directions of random signs (Rademacher) for each sample of `[B, ...]`: `[count, B, ...]`. */
export function randomProbes(
  count: number,
  shape: number[],
  { generator, first }: { generator: Generator; first: number },
): tf.Tensor {
  return tf.tidy(() =>
    tf.stack(
      Array.from({ length: count }, (_, i) => {
        const bits = generator.fork(i).integers(shape, { max: 2, firstSample: first });
        return tf.sub(tf.mul(tf.cast(bits, 'float32'), 2), 1);
      }),
    ),
  );
}
