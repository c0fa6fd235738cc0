/**
 * The network of the lecture notes of 8 May 2025 (section "Model"), layer by layer.
 *
 * The notes call it a U-Net; it has neither skips nor down-sampling, so each output pixel sees 9 x 9 input pixels, and it
 * reads time as the fraction t/T. Both are kept: the course shows what they cost. 165,633 parameters.
 */
import { pure } from '../compile';
import { tf, type Generator } from '../engine';
import { addBias, convolve, Parameters, relu, turned } from '../nn';
import type { Model } from './model';

/** PyTorch's default start, which the notes rely on: uniform in +-1/sqrt(fan in), kernel and bias alike. */
function layer(parameters: Parameters, kernelShape: number[], outputs: number, fanIn: number) {
  const bound = 1 / Math.sqrt(fanIn);
  return {
    kernel: parameters.uniform('kernel', kernelShape, bound),
    bias: parameters.uniform('bias', [outputs], bound),
  };
}

/**
 * The notes' `SimpleUNet`; `T` is the length of the schedule, by which the network divides t. `width` is the number of
 * channels of the first layer, the notes' 64 by default; everything else grows with it.
 *
 * @throws when the width is not a whole number of at least 1.
 */
export function lecture2025(options: { T: number; width?: number; generator: Generator }): Model {
  const { T, width = 64, generator } = options;
  if (!(Number.isSafeInteger(width) && width >= 1)) {
    throw new Error(`width = ${width}: use a whole number of at least 1.`);
  }
  const wide = 2 * width;
  const parameters = Parameters.create(generator);
  const conv = (name: string, inputs: number, outputs: number) =>
    layer(parameters.scope(name), [3, 3, inputs, outputs], outputs, 9 * inputs);
  // A transposed convolution's kernel is [3, 3, outputs, inputs], and PyTorch counts its fan-in over the outputs.
  const transposed = (name: string, inputs: number, outputs: number) =>
    layer(parameters.scope(name), [3, 3, outputs, inputs], outputs, 9 * outputs);
  const linear = (name: string, inputs: number, outputs: number) =>
    layer(parameters.scope(name), [inputs, outputs], outputs, inputs);

  const time1 = linear('time1', 1, wide);
  const time2 = linear('time2', wide, wide);
  const conv1 = conv('conv1', 1, width);
  const conv2 = conv('conv2', width, wide);
  const deconv1 = transposed('deconv1', wide, width);
  const deconv2 = transposed('deconv2', width, 1);

  type Weights = ReturnType<typeof layer>;
  const convolution = (x: tf.Tensor, { kernel, bias }: Weights): tf.Tensor =>
    addBias(convolve(x, kernel), bias);
  // With stride 1 it is a convolution with the turned kernel: TensorFlow joins bias and ReLU to that.
  const transposedConvolution = (x: tf.Tensor, { kernel, bias }: Weights): tf.Tensor =>
    addBias(convolve(x, turned(kernel)), bias);

  return {
    config: { kind: 'lecture2025', T, ...(options.width !== undefined && { width }) },
    parameters: parameters.all,
    parameterCount: parameters.count,
    predict: pure((xt, t) =>
      tf.tidy(() => {
        const fraction = tf.reshape(tf.div(tf.cast(t, 'float32'), T), [-1, 1]) as tf.Tensor2D;
        const hidden = relu(
          addBias(tf.matMul(fraction, time1.kernel as tf.Variable<tf.Rank.R2>), time1.bias),
        );
        const time = addBias(
          tf.matMul(hidden as tf.Tensor2D, time2.kernel as tf.Variable<tf.Rank.R2>),
          time2.bias,
        );
        let x = relu(convolution(xt, conv1));
        x = relu(convolution(x, conv2));
        x = tf.add(x, tf.reshape(time, [-1, 1, 1, wide]));
        x = relu(transposedConvolution(x, deconv1));
        return transposedConvolution(x, deconv2);
      }),
    ),
    dispose: () => parameters.dispose(),
  };
}
