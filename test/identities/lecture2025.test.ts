/** The network of the notes: size, first weights, receptive field, gradients, time. */
import { tf } from '../../lib/engine';
import { lecture2025 } from '../../lib/models';
import { parameterGradientError } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';
import { farthest, images, random, steps, values, withModel } from '../helpers/models';

expectNoLeaks();

describe('lecture2025', () => {
  test('has 165,633 parameters, kernel and bias uniform in +-1/sqrt(fan in) as in PyTorch', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ parameters, parameterCount }) => {
      expect(parameterCount).toBe(165_633);
      expect(Object.fromEntries([...parameters].map(([path, { shape }]) => [path, shape]))).toEqual({
        'time1/kernel': [1, 128],
        'time1/bias': [128],
        'time2/kernel': [128, 128],
        'time2/bias': [128],
        'conv1/kernel': [3, 3, 1, 64],
        'conv1/bias': [64],
        'conv2/kernel': [3, 3, 64, 128],
        'conv2/bias': [128],
        'deconv1/kernel': [3, 3, 64, 128],
        'deconv1/bias': [64],
        'deconv2/kernel': [3, 3, 1, 64],
        'deconv2/bias': [1],
      });
      const fanIns = { time1: 1, time2: 128, conv1: 9, conv2: 576, deconv1: 576, deconv2: 9 };
      for (const [name, fanIn] of Object.entries(fanIns)) {
        const bound = 1 / Math.sqrt(fanIn);
        const kernel = values(parameters.get(`${name}/kernel`) as tf.Variable);
        const largest = Math.max(...kernel.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.95 * bound);
        expect(
          Math.max(...values(parameters.get(`${name}/bias`) as tf.Variable).map(Math.abs)),
        ).toBeLessThanOrEqual(bound * (1 + 1e-6));
      }
    });
  });

  test('one output pixel sees exactly 9 x 9 of the 28 x 28 input pixels', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict }) => {
      const pixel = (x: tf.Tensor): tf.Tensor =>
        predict(x as tf.Tensor4D, steps(100))
          .slice([0, 14, 14, 0], [1, 1, 1, 1])
          .sum();
      const seen = values(tf.grad(pixel)(images(1, 28))).map((value) => value !== 0);
      const expected = seen.map(
        (_, i) => Math.abs(Math.floor(i / 28) - 14) <= 4 && Math.abs((i % 28) - 14) <= 4,
      );
      expect(seen).toEqual(expected);
    });
  });

  test('has the gradient of every one of its parameters', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict, parameters }) => {
      // Positive kernels and biases keep every ReLU open: at its kink finite differences say nothing. The large sums
      // that come of it leave two digits to compare.
      for (const variable of parameters.values()) variable.assign(tf.abs(variable));
      (parameters.get('conv1/bias') as tf.Variable).assign(tf.fill([64], 5));
      const [x, t] = [images(2, 6), steps(3, 250)];
      const errors = parameterGradientError(() => predict(x, t), parameters, { step: 0.05, relative: true });
      expect(errors.size).toBe(12);
      expect([...errors].filter(([, error]) => !(error < 5e-2))).toEqual([]);
    });
  });

  test('divides t by the T of its config', () => {
    const models = [300, 600].map((T) => lecture2025({ T, generator: random }));
    tf.tidy(() => {
      const x = images(2, 8);
      const [short, long] = models;
      expect(values(long.predict(x, steps(200, 598)))).toEqual(values(short.predict(x, steps(100, 299))));
      expect(values(long.predict(x, steps(100, 299)))).not.toEqual(values(short.predict(x, steps(100, 299))));
      expect(long.config).toEqual({ kind: 'lecture2025', T: 600 });
    });
    models.forEach((model) => model.dispose());
  });

  test('of one image is the same alone and among others', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict }) => {
      const [x, t] = [images(8, 12), [0, 1, 5, 20, 50, 100, 150, 299]];
      const together = values(predict(x, steps(...t)));
      const alone = t.flatMap((step, i) =>
        values(predict(x.slice([i, 0, 0, 0], [1, 12, 12, 1]), steps(step))),
      );
      expect(farthest(alone, together)).toBeLessThan(1e-5);
    });
  });
});
