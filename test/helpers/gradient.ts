/** Gradients against finite differences. */
import { createGenerator, tf, type Generator } from '../../lib/engine';

const numbers = (x: tf.Tensor): Float64Array => Float64Array.from(x.dataSync());
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/**
 * The largest error of the gradient of `f` with respect to each of `inputs`, along random directions, relative to the
 * gradient's own size.
 *
 * The scalar is `sum(w f(x))` with random w, summed in float64; the derivative along v is that of a five-point stencil.
 */
export function gradientError(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  { step = 0.02, seed = 0, directions = 3 } = {},
): number[] {
  const random = createGenerator(seed);
  return tf.tidy(() => {
    const weights = random.fork('weights').normal(f(...inputs).shape);
    const weightValues = numbers(weights);
    const gradients = tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(f(...xs), weights)))(inputs);
    return inputs.map((input, k) => {
      const gradient = numbers(gradients[k]);
      const size = Math.sqrt(dot(gradient, gradient));
      const errors = Array.from({ length: directions }, (_, i) => {
        const v = random.fork('direction', k, i).normal(input.shape);
        const at = (h: number): number =>
          tf.tidy(() => {
            const moved = inputs.map((x, j) => (j === k ? tf.add(x, tf.mul(v, h)) : x));
            return dot(numbers(f(...moved)), weightValues);
          });
        const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        return Math.abs(numeric - dot(gradient, numbers(v))) / size;
      });
      return Math.max(...errors);
    });
  });
}

/**
 * As `gradientError`, with respect to variables that `f` reads from outside. The error of a gradient that vanishes (the
 * bias of attention's keys: softmax does not see it) is relative to a hundredth of the whole gradient. With `relative`
 * every value moves in proportion to itself, and so keeps its sign.
 */
export function parameterGradientError(
  f: () => tf.Tensor,
  variables: ReadonlyMap<string, tf.Variable>,
  { step = 0.02, seed = 0, relative = false } = {},
): Map<string, number> {
  const random = createGenerator(seed);
  const result = new Map<string, number>();
  tf.tidy(() => {
    const weights = random.fork('weights').normal(f().shape);
    const weightValues = numbers(weights);
    const { grads } = tf.variableGrads(() => tf.sum(tf.mul(f(), weights)), [...variables.values()]);
    const norm = (x: Float64Array): number => Math.sqrt(dot(x, x));
    const floor = Math.hypot(...[...variables.values()].map(({ name }) => norm(numbers(grads[name])))) / 100;
    for (const [path, variable] of variables) {
      const gradient = numbers(grads[variable.name]);
      const first = variable.clone();
      const normal = random.fork('direction', path).normal(variable.shape);
      const v = relative ? tf.mul(normal, tf.abs(first)) : normal;
      const at = (h: number): number =>
        tf.tidy(() => {
          variable.assign(tf.add(first, tf.mul(v, h)));
          return dot(numbers(f()), weightValues);
        });
      const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      variable.assign(first);
      const size = Math.max(norm(gradient), floor);
      result.set(path, Math.abs(numeric - dot(gradient, numbers(v))) / size);
    }
  });
  return result;
}

/** Gives every parameter a random value, zero-initialised ones too, so that no path of the network is closed. */
export function randomise(
  parameters: ReadonlyMap<string, tf.Variable>,
  generator: Generator,
  std = 0.3,
): void {
  for (const [path, variable] of parameters) {
    tf.tidy(() => variable.assign(tf.mul(generator.fork(path).normal(variable.shape), std)));
  }
}
