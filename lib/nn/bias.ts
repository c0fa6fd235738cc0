/** A bias and a ReLU as single ops of TensorFlow, forwards and backwards, where tfjs makes several. */
import { tf } from '../engine';

const run = (kernel: string, inputs: Record<string, tf.Tensor>): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs) as tf.Tensor;

const biasWithGradient = tf.customGrad((...args: unknown[]) => {
  const [value, bias] = args as tf.Tensor[];
  return {
    value: run('BiasAdd', { value, bias }),
    gradFunc: (dy: tf.Tensor) => [dy, run('BiasAddGrad', { dy })],
  };
});

const reluWithGradient = tf.customGrad((x: unknown, save: unknown) => {
  const y = tf.relu(x as tf.Tensor);
  (save as tf.GradSaveFunc)([y]);
  return { value: y, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => run('ReluGrad', { dy, y: saved }) };
});

/** `y = x + b`, one number a channel: `x [..., C]`, `b [C]`. */
export function addBias<X extends tf.Tensor>(x: X, bias: tf.Tensor): X {
  return tf.tidy(() => biasWithGradient(x, bias) as X);
}

/** `max(x, 0)`, element by element. */
export function relu<X extends tf.Tensor>(x: X): X {
  return tf.tidy(() => reluWithGradient(x) as X);
}
