/** Layers: closed forms, and what they refuse. */
import { createGenerator, tf } from '../../lib/engine';
import {
  addBias,
  conv2d,
  convolve,
  Parameters,
  relu,
  selfAttention,
  silu,
  fourierFeatures,
  timeEmbedding,
  turned,
  upsample2,
} from '../../lib/nn';
import { randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';
import { farthest, random, values, withLayer } from '../helpers/models';

expectNoLeaks();

describe('bias and relu as single ops', () => {
  test('are what tfjs computes, values and gradients', () => {
    tf.tidy(() => {
      const x = createGenerator(8).normal([2, 3, 3, 4]);
      const bias = tf.tensor1d([1, -2, 0.5, 0]);
      expect(values(addBias(x, bias))).toEqual(values(tf.add(x, bias)));
      expect(values(relu(x))).toEqual(values(tf.relu(x)));
      const ours = tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.square(relu(addBias(a, b)))))([
        x,
        bias,
      ]);
      const theirs = tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.square(tf.relu(tf.add(a, b)))))([
        x,
        bias,
      ]);
      ours.forEach((gradient, i) => expect(farthest(values(gradient), values(theirs[i]))).toBeLessThan(1e-5));
    });
  });

  test('and a bias of another length than the channels is refused', () => {
    tf.tidy(() => expect(() => addBias(tf.ones([2, 3]), tf.ones([2]))).toThrow(/BiasAdd/));
  });
});

describe('silu', () => {
  test('is x sigmoid(x), with derivative 1/2 at 0, and stays finite far out', () => {
    tf.tidy(() => {
      const xs = [-100, -20, -1, 0, 1, 20, 100];
      const x = tf.tensor1d(xs);
      const y = xs.map((value) => value / (1 + Math.exp(-value)));
      expect(farthest(values(silu(x)), y)).toBeLessThan(1e-6);
      const slope = values(tf.grad((z) => tf.sum(silu(z)))(x));
      expect(farthest(slope, [0, -19 * Math.exp(-20), 0.0723295, 0.5, 0.9276705, 1, 1])).toBeLessThan(1e-6);
    });
  });
});

describe('selfAttention', () => {
  test('starts as the identity', () => {
    withLayer(
      (p) => selfAttention(p, { channels: 8 }),
      (layer) =>
        tf.tidy(() => {
          const x = random.fork('identity').normal([2, 3, 3, 8]);
          expect(values(layer(x))).toEqual(values(x));
        }),
    );
  });

  test('lets every pixel read from every other: its output follows a permutation of the pixels', () => {
    withLayer(
      (p) => selfAttention(p, { channels: 8, heads: 2 }),
      (layer, { all }) =>
        tf.tidy(() => {
          randomise(all, random.fork('attention'));
          const x = random.fork('pixels').normal([1, 1, 9, 8]);
          const order = tf.tensor1d([8, 2, 0, 5, 1, 7, 3, 6, 4], 'int32');
          const permuted = tf.gather(layer(x), order, 2);
          expect(farthest(values(layer(tf.gather(x, order, 2))), values(permuted))).toBeLessThan(1e-5);
          const first = tf.grad((z) => tf.sum(tf.slice(layer(z), [0, 0, 0, 0], [1, 1, 1, 8])))(x);
          expect(Math.min(...values(tf.max(tf.abs(first), [0, 1, 3])))).toBeGreaterThan(0);
        }),
    );
  });

  test('heads that do not divide the channels are an error', () => {
    const parameters = Parameters.create(random);
    expect(() => selfAttention(parameters, { channels: 8, heads: 3 })).toThrow(
      'heads = 3 does not divide 8 channels',
    );
    expect(parameters.count).toBe(0);
  });
});

describe('timeEmbedding', () => {
  const embed = (t: number[], dim: number, maxPeriod?: number): number[][] =>
    tf.tidy(() => timeEmbedding(tf.tensor1d(t, 'int32'), dim, maxPeriod).arraySync());

  test('is [sin, cos] with frequencies maxPeriod^(-i / half)', () => {
    expect(farthest(embed([1], 4)[0], [0.841471, 0.00999983, 0.540302, 0.99995])).toBeLessThan(1e-6);
    expect(farthest(embed([7], 2)[0], [Math.sin(7), Math.cos(7)])).toBeLessThan(1e-6);
    const expected = [0, 1, 2].map((i) => 999 * 100 ** (-i / 3));
    const row = embed([999], 6, 100)[0];
    expect(farthest(row, [...expected.map(Math.sin), ...expected.map(Math.cos)])).toBeLessThan(2e-4);
  });

  test('tells far steps apart: 5.3145 between t = 100 and 900 with dim 32', () => {
    const [a, b] = embed([100, 900], 32);
    expect(Math.hypot(...a.map((value, i) => value - b[i]))).toBeCloseTo(5.3145, 3);
  });

  test.each([[4], [32], [64]])('dim %i: no two of 1000 steps look alike', (dim) => {
    const rows = embed(
      Array.from({ length: 1000 }, (_, t) => t),
      dim,
    );
    const closest = Math.min(
      ...rows.slice(1).map((row, t) => Math.hypot(...row.map((v, i) => v - rows[t][i]))),
    );
    expect(closest).toBeGreaterThan(0.4);
  });

  test('a fraction t/T, another rank or an odd dim is an error', () => {
    tf.tidy(() => {
      expect(() => timeEmbedding(tf.tensor1d([0.1, 0.9]), 32)).toThrow(
        /t has dtype float32: pass the integer step 0..T-1 as int32, not a fraction t\/T/,
      );
      for (const dim of [3, 0, -2])
        expect(() => timeEmbedding(tf.tensor1d([1], 'int32'), dim)).toThrow(`dim = ${dim}`);
    });
  });
});

describe('fourierFeatures', () => {
  test('is the value, its sines, its cosines', () => {
    const row = tf.tidy(() => fourierFeatures(tf.tensor2d([[0.1, -0.7]]), [0, 3]).arraySync()) as number[][];
    const waves = (f: (angle: number) => number) =>
      [1, 8].flatMap((k) => [0.1, -0.7].map((x) => f(k * Math.PI * x)));
    expect(farthest(row[0], [0.1, -0.7, ...waves(Math.sin), ...waves(Math.cos)])).toBeLessThan(1e-5);
  });

  test('exponent 8 sees how far a value lies from a grey level, exponent 7 which of two neighbours', () => {
    const levels = tf.tidy(() => tf.sub(tf.mul(tf.range(0, 256), 2 / 256), 1).reshape([256, 1]));
    const rows = tf.tidy(() => fourierFeatures(levels, [7, 8]).arraySync()) as number[][];
    levels.dispose();
    for (const [i, [, , , cos7, cos8]] of rows.entries()) {
      expect(cos7).toBeCloseTo(i % 2 === 0 ? 1 : -1, 4);
      expect(cos8).toBeCloseTo(1, 3);
    }
  });

  test.each([[[]], [[-1]], [[1.5]], [[17]]])('exponents %j are refused', (exponents) => {
    tf.tidy(() =>
      expect(() => fourierFeatures(tf.ones([1]), exponents)).toThrow('whole numbers from 0 to 16'),
    );
  });
});

test('with a turned kernel a convolution is the transposed one', () => {
  tf.tidy(() => {
    const x = random.fork('x').normal([2, 5, 6, 3]);
    const kernel = random.fork('kernel').normal([3, 3, 4, 3]) as tf.Tensor4D;
    const expected = tf.conv2dTranspose(x as tf.Tensor4D, kernel, [2, 5, 6, 4], 1, 'same');
    expect(values(tf.max(tf.abs(tf.sub(convolve(x, turned(kernel)), expected))))[0]).toBeLessThan(1e-5);
    expect(values(turned(turned(kernel)))).toEqual(values(kernel));
  });
});

describe('upsample2', () => {
  test('[[1, 2], [3, 4]] becomes 2 x 2 blocks', () => {
    tf.tidy(() => {
      const y = upsample2(tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]));
      expect(y.shape).toEqual([1, 4, 4, 1]);
      expect(values(y)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    });
  });

  test('doubling and a convolution keep a constant image constant inside the border: no checkerboard', () => {
    withLayer(
      (p) => conv2d(p, { inChannels: 2, outChannels: 3 }),
      (layer) =>
        tf.tidy(() => {
          const inside = tf.slice(layer(upsample2(tf.fill([1, 5, 5, 2], 0.7))), [0, 1, 1, 0], [1, 8, 8, 3]);
          const spread = tf.sub(tf.max(inside, [1, 2]), tf.min(inside, [1, 2]));
          expect(Math.max(...values(spread))).toBeLessThan(1e-6);
        }),
    );
  });
});
