/** Layers: closed forms, gradients against finite differences, first values. */
import { createGenerator, tf } from '../../lib/engine';
import {
  addBias,
  relu,
  conv2d,
  dense,
  groupNorm,
  groupNormalise,
  Parameters,
  selfAttention,
  silu,
  timeEmbedding,
  upsample2,
  type Layer,
} from '../../lib/nn';
import { gradientError, parameterGradientError, randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';

const random = createGenerator(11);
const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());
const farthest = (x: number[], y: number[]): number =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i])));

/** Builds a layer, hands it over, and frees its parameters. */
function withLayer(build: (p: Parameters) => Layer, use: (layer: Layer, p: Parameters) => void): void {
  const parameters = Parameters.create(random.fork('init'));
  try {
    use(build(parameters), parameters);
  } finally {
    parameters.dispose();
  }
}

expectNoLeaks();

describe('gradients equal finite differences', () => {
  const layers: [string, (p: Parameters) => Layer, number[]][] = [
    ['conv2d', (p) => conv2d(p, { inChannels: 3, outChannels: 4 }), [2, 5, 6, 3]],
    ['conv2d, stride 2', (p) => conv2d(p, { inChannels: 3, outChannels: 4, stride: 2 }), [2, 6, 8, 3]],
    ['conv2d, 1 x 1', (p) => conv2d(p, { inChannels: 3, outChannels: 4, kernelSize: 1 }), [2, 5, 6, 3]],
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
});

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

describe('parameters', () => {
  const build = (order: string[], seed = 3): Parameters => {
    const parameters = Parameters.create(createGenerator(seed));
    for (const name of order) conv2d(parameters.scope('net').scope(name), { inChannels: 2, outChannels: 3 });
    return parameters;
  };
  const read = ({ all }: Parameters): Record<string, number[]> =>
    Object.fromEntries([...all].map(([path, variable]) => [path, values(variable)]));

  test('first values follow from seed and path, not from the order of the layers', () => {
    const [one, two, more, other] = [
      build(['a', 'b']),
      build(['b', 'a']),
      build(['a', 'c', 'b']),
      build(['a', 'b'], 4),
    ];
    expect(read(two)).toEqual(read(one));
    expect(read(more)).toMatchObject(read(one));
    const kernel = (p: Parameters, name: string) => read(p)[`net/${name}/kernel`];
    expect(kernel(other, 'a')).not.toEqual(kernel(one, 'a'));
    expect(kernel(one, 'b')).not.toEqual(kernel(one, 'a'));
    for (const parameters of [one, two, more, other]) parameters.dispose();
  });

  test('normal, uniform and constant have the moments that they state', () => {
    const parameters = Parameters.create(createGenerator(0));
    const n = 40_000;
    const moments = (variable: tf.Variable) => {
      const list = values(variable);
      const mean = list.reduce((sum, x) => sum + x, 0) / n;
      return { mean, std: Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n), list };
    };
    const normal = moments(parameters.normal('normal', [n], 0.2));
    expect(Math.abs(normal.mean)).toBeLessThan(0.005); // 5 standard errors
    expect(Math.abs(normal.std / 0.2 - 1)).toBeLessThan(0.018);
    const uniform = moments(parameters.uniform('uniform', [n], 0.3));
    expect(Math.abs(uniform.mean)).toBeLessThan(0.0045);
    expect(Math.abs(uniform.std / (0.3 / Math.sqrt(3)) - 1)).toBeLessThan(0.012);
    expect(Math.max(...uniform.list)).toBeLessThan(0.3);
    expect(Math.min(...uniform.list)).toBeGreaterThanOrEqual(-Math.fround(0.3));
    expect(new Set(moments(parameters.constant('one', [n], 1)).list)).toEqual(new Set([1]));
    expect(parameters.count).toBe(3 * n);
    parameters.dispose();
  });

  test('kernels keep the variance of the activations', () => {
    const std = (x: tf.Tensor): number => tf.tidy(() => tf.moments(x).variance.sqrt().dataSync()[0]);
    withLayer(
      (p) => conv2d(p, { inChannels: 64, outChannels: 64 }),
      (layer) =>
        tf.tidy(() => {
          const inside = tf.slice(
            layer(random.fork('keep').normal([2, 18, 18, 64])),
            [0, 1, 1, 0],
            [2, 16, 16, 64],
          );
          expect(Math.abs(std(inside) - 1)).toBeLessThan(0.05);
        }),
    );
    withLayer(
      (p) => dense(p, { inputs: 300, outputs: 200 }),
      (layer) =>
        tf.tidy(() =>
          expect(Math.abs(std(layer(random.fork('keep').normal([100, 300]))) - 1)).toBeLessThan(0.05),
        ),
    );
  });

  test('a path that exists is an error, and dispose frees everything', () => {
    const parameters = build(['a']);
    expect([...parameters.all.keys()]).toEqual(['net/a/kernel', 'net/a/bias']);
    expect(() => conv2d(parameters.scope('net').scope('a'), { inChannels: 1, outChannels: 1 })).toThrow(
      "Parameter 'net/a/kernel' exists already: give its layer a scope.",
    );
    parameters.dispose();
    expect(parameters.count).toBe(0);
  });
});
