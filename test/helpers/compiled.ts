/** One function op by op, compiled, and compiled in bfloat16: its values and its gradients. */
import { compile, type Precision } from '../../lib/compile';
import { createGenerator, tf } from '../../lib/engine';

/** A function of tensors, differentiable by those of its inputs that are float32, and by variables. */
export interface Made {
  f: (...inputs: tf.Tensor[]) => tf.Tensor;
  inputs: tf.Tensor[];
  variables?: ReadonlyMap<string, tf.Variable>;
}

type Named = Record<string, tf.Tensor>;

/** `f`, and the gradients of a weighted sum of its values by all that they depend on. */
function withGradients({ f, inputs, variables = new Map() }: Made, weights: tf.Tensor) {
  const scalar = (value: tf.Tensor): tf.Scalar => tf.sum(tf.mul(value, weights));
  const isFloat = inputs.map(({ dtype }) => dtype === 'float32');
  return (...given: tf.Tensor[]): Named => {
    const result: Named = { value: f(...given) };
    const floats = given.filter((_, i) => isFloat[i]);
    if (floats.length > 0) {
      const ofFloats = (...xs: tf.Tensor[]): tf.Scalar => {
        const rest = [...xs];
        return scalar(f(...given.map((x, i) => (isFloat[i] ? (rest.shift() as tf.Tensor) : x))));
      };
      tf.grads(ofFloats)(floats).forEach((gradient, i) => (result[`by input ${i}`] = gradient));
    }
    if (variables.size > 0) {
      const { grads } = tf.variableGrads(() => scalar(f(...given)), [...variables.values()]);
      for (const [path, { name }] of variables) result[`by ${path}`] = grads[name];
    }
    return result;
  };
}

const numbersOf = (named: Named): Map<string, number[]> =>
  new Map(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]));
const largestOf = (values: number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference of two lists over the largest value of the second, or over `floor`. */
export function relativeError(values: number[], reference: number[], floor = 0): number {
  expect(values).toHaveLength(reference.length);
  const difference = largestOf(values.map((value, i) => value - reference[i]));
  return difference === 0 ? 0 : difference / Math.max(largestOf(reference), floor);
}

/**
 * The errors of the compiled function, value and gradients by name, against op by op.
 *
 * That of a gradient which vanishes but for rounding (of a bias in front of a normalisation) is relative to a hundredth
 * of the largest gradient; in bfloat16 to a tenth, as much of a small gradient is rounding.
 */
export function compiledErrors(made: Made, precision: Precision): Record<string, number> {
  return tf.tidy(() => {
    const { f, inputs } = made;
    const fn = withGradients(
      made,
      createGenerator(0)
        .fork('weights')
        .normal(f(...inputs).shape),
    );
    const compiled = compile(fn, { precision });
    const [reference, found] = [fn, compiled].map((run) => numbersOf(run(...inputs)));
    compiled.dispose();
    const gradients = [...reference].filter(([name]) => name !== 'value').map(([, values]) => values);
    const floor = Math.max(0, ...gradients.map(largestOf)) / (precision === 'float32' ? 100 : 10);
    const errors = [...reference].map(([name, values]) => {
      const error = relativeError(found.get(name)!, values, name === 'value' ? 0 : floor);
      return [name, error] as const;
    });
    return Object.fromEntries(errors);
  });
}
