/** Gradients of layers against finite differences. */
import { tf } from '../../lib/engine';
import {
  conv2d,
  dense,
  groupNorm,
  groupNormalise,
  selfAttention,
  silu,
  upsample2,
  type Layer,
  type Parameters,
} from '../../lib/nn';
import { gradientError, parameterGradientError, randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';
import { random, withLayer } from '../helpers/models';

expectNoLeaks();

describe('gradients equal finite differences', () => {
  const layers: [string, (p: Parameters) => Layer, number[]][] = [
    ['conv2d', (p) => conv2d(p, { inChannels: 3, outChannels: 4 }), [2, 5, 6, 3]],
    ['conv2d, stride 2', (p) => conv2d(p, { inChannels: 3, outChannels: 4, stride: 2 }), [2, 6, 8, 3]],
    ['conv2d, 1 x 1', (p) => conv2d(p, { inChannels: 3, outChannels: 4, kernelSize: 1 }), [2, 5, 6, 3]],
    ['conv2d, to one channel', (p) => conv2d(p, { inChannels: 16, outChannels: 1 }), [2, 5, 6, 16]],
    [
      'conv2d, to few, 5 x 5',
      (p) => conv2d(p, { inChannels: 16, outChannels: 2, kernelSize: 5 }),
      [2, 5, 6, 16],
    ],
    ['dense', (p) => dense(p, { inputs: 7, outputs: 5 }), [3, 7]],
    ['groupNorm', (p) => groupNorm(p, { channels: 6, groups: 2 }), [2, 4, 3, 6]],
    ['selfAttention', (p) => selfAttention(p, { channels: 8 }), [2, 3, 3, 8]],
    ['selfAttention, 2 heads', (p) => selfAttention(p, { channels: 8, heads: 2 }), [2, 3, 2, 8]],
  ];
  test.each(layers)('%s', (_, build, shape) => {
    withLayer(build, (layer, parameters) => {
      randomise(parameters.all, random.fork('weights'));
      tf.tidy(() => {
        const x = random.fork('x').normal(shape);
        expect(gradientError(layer, [x])[0]).toBeLessThan(2e-3);
        const errors = parameterGradientError(() => layer(x), parameters.all);
        expect([...errors.keys()]).toEqual([...parameters.all.keys()]);
        expect([...errors].filter(([, error]) => !(error < 2e-3))).toEqual([]);
      });
    });
  });

  test('silu, upsample2 and transposed convolution', () => {
    tf.tidy(() => {
      const x = random.fork('y').normal([2, 4, 5, 3]);
      const kernel = random.fork('kernel').normal([3, 3, 2, 3]);
      expect(gradientError(silu, [x])[0]).toBeLessThan(1e-3);
      expect(gradientError(upsample2, [x])[0]).toBeLessThan(1e-3);
      const transposed = (image: tf.Tensor, k: tf.Tensor): tf.Tensor =>
        tf.conv2dTranspose(image as tf.Tensor4D, k as tf.Tensor4D, [2, 4, 5, 2], 1, 'same');
      for (const error of gradientError(transposed, [x, kernel])) expect(error).toBeLessThan(1e-3);
    });
  });

  test('groupNormalise by image, gamma and beta together, for every number of groups', () => {
    tf.tidy(() => {
      const [x, gamma, beta] = [[2, 3, 5, 6], [6], [6]].map((shape, i) => random.fork('gn', i).normal(shape));
      for (const groups of [1, 2, 3, 6]) {
        const errors = gradientError(
          (...xs) => groupNormalise(xs[0], xs[1], xs[2], groups),
          [x, gamma, beta],
        );
        for (const error of errors) expect(error).toBeLessThan(2e-3);
      }
    });
  });

  test.each(['none', 'silu'] as const)('groupNormalise with a shift, activation %s', (activation) => {
    tf.tidy(() => {
      const inputs = [[2, 3, 5, 6], [6], [6], [2, 6]].map((shape, i) =>
        random.fork('shift', i).normal(shape),
      );
      const errors = gradientError(
        (x, gamma, beta, shift) => groupNormalise(x, gamma, beta, 3, { activation, shift }),
        inputs,
      );
      for (const error of errors) expect(error).toBeLessThan(2e-3);
    });
  });
});
