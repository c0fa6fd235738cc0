/** Convolution with a gradient that is fast for few output channels too. */
import { tf } from '../engine';

const STRIDE_1 = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1] };

const run = (kernel: string, inputs: Record<string, tf.Tensor>, shape: Record<string, number[]>): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs, { ...STRIDE_1, ...shape }) as tf.Tensor;

/** A kernel turned by 180 degrees, with its channels exchanged: the one that goes the other way, with stride 1. */
export function turned(kernel: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D);
}

/**
 * To few channels. The kernel's gradient sums products of x and dy over the pixels; TensorFlow shares that work out over
 * the channels of what it takes for dy, so that one channel there is as slow as sixteen. With the two exchanged the sums
 * are the same, of the turned kernel.
 */
const toFew = tf.customGrad((...args: unknown[]) => {
  const [x, kernel] = args as tf.Tensor4D[];
  (args[2] as tf.GradSaveFunc)([x, kernel]);
  return {
    value: tf.conv2d(x, kernel, 1, 'same'),
    gradFunc: (dy: tf.Tensor, [xs, k]: tf.Tensor[]) => {
      const [height, width, inputs, outputs] = k.shape as number[];
      const exchanged = { filterShape: [height, width, outputs, inputs] };
      return [
        run('Conv2DBackpropInput', { dy, filter: k }, { inputShape: xs.shape }),
        turned(run('Conv2DBackpropFilter', { x: dy, dy: xs }, exchanged)),
      ];
    },
  };
});

/** `x * W` with same padding: `x [B, H, W, in]`, kernel `[k, k, in, out]`; the caller owns the result. */
export function convolve(x: tf.Tensor, kernel: tf.Tensor, stride = 1): tf.Tensor4D {
  const [size, , inputs, outputs] = kernel.shape as number[];
  return tf.tidy(() => {
    if (stride === 1 && size % 2 === 1 && 8 * outputs <= inputs) return toFew(x, kernel) as tf.Tensor4D;
    return tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, stride, 'same');
  });
}
