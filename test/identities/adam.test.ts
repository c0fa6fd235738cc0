/** Adam, the moving average, the learning rate and packing against float64 references. */
import { createGenerator, tf } from '../../lib/engine';
import { Adam, Ema, warmupCosine, type AdamOptions } from '../../lib/training';
import { assignPacked, pack, unpack } from '../../lib/training/packing';
import { expectNoLeaks } from '../helpers/leaks';

const random = createGenerator(2);
const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());
const farthest = (x: number[], y: number[]): number =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i])));

const shapes = [[2, 3], [], [4], [1, 2, 1, 2]];
const makeVariables = (): tf.Variable[] =>
  shapes.map((shape, i) => tf.tidy(() => tf.variable(random.fork('theta', i).normal(shape))));
const zeros = (size: number): tf.Variable => tf.tidy(() => tf.variable(tf.zeros([size])));
const gradientsAt = (step: number, scale = 1): tf.Tensor[] =>
  shapes.map((shape, i) => tf.tidy(() => tf.mul(random.fork('gradient', step, i).normal(shape), scale)));
const named = (variables: tf.Variable[], tensors: tf.Tensor[]): tf.NamedTensorMap =>
  Object.fromEntries(variables.map(({ name }, i) => [name, tensors[i]]));

expectNoLeaks();

describe('Adam', () => {
  /** Algorithm 1 of the paper, in float64. */
  function reference(first: number[], options: Required<AdamOptions>) {
    const { beta1, beta2, epsilon, clipNorm } = options;
    const theta = [...first];
    const m = theta.map(() => 0);
    const v = theta.map(() => 0);
    let t = 0;
    return {
      theta,
      update(raw: number[], learningRate: number): void {
        t++;
        const norm = Math.hypot(...raw);
        const g = norm > clipNorm ? raw.map((x) => (x * clipNorm) / norm) : raw;
        g.forEach((x, i) => {
          m[i] = beta1 * m[i] + (1 - beta1) * x;
          v[i] = beta2 * v[i] + (1 - beta2) * x * x;
          const [mHat, vHat] = [m[i] / (1 - beta1 ** t), v[i] / (1 - beta2 ** t)];
          theta[i] -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
        });
      },
    };
  }

  test.each<[string, AdamOptions]>([
    ['its defaults', {}],
    ['a clip that takes hold', { clipNorm: 0.5 }],
    ['a clip that is out of reach', { clipNorm: 100 }],
    ['other decays and a large epsilon', { beta1: 0.5, beta2: 0.9, epsilon: 0.1, clipNorm: 2 }],
    ['no momentum', { beta1: 0 }],
  ])('follows the float64 reference over several steps with %s', (_, options) => {
    const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: Infinity };
    const variables = makeVariables();
    const expected = reference(variables.flatMap(values), { ...defaults, ...options });
    const adam = new Adam(variables, options);
    for (let step = 0; step < 8; step++) {
      const gradients = gradientsAt(step);
      const inUse = tf.memory().numTensors;
      adam.update(named(variables, gradients), 0.03 / (step + 1));
      expect(tf.memory().numTensors).toBe(inUse);
      expected.update(gradients.flatMap(values), 0.03 / (step + 1));
      tf.dispose(gradients);
      expect(farthest(variables.flatMap(values), expected.theta)).toBeLessThan(1e-6);
    }
    expect(adam.step).toBe(8);
    adam.dispose();
    tf.dispose(variables);
  });

  test('its first step is the learning rate, against the sign of the gradient, however small or large that is', () => {
    for (const scale of [1e-4, 1, 1e4]) {
      const variables = makeVariables();
      const first = variables.flatMap(values);
      const gradients = gradientsAt(0, scale);
      const adam = new Adam(variables);
      adam.update(named(variables, gradients), 0.01);
      const expected = gradients.flatMap(values).map((g, i) => first[i] - 0.01 * Math.sign(g));
      expect(farthest(variables.flatMap(values), expected)).toBeLessThan(1e-4);
      adam.dispose();
      tf.dispose([variables, gradients].flat());
    }
  });

  test('epsilon is added to the root of the corrected second moment: a gradient of its size halves the step', () => {
    const variable = zeros(1);
    const gradient = tf.tensor1d([1e-8]);
    const adam = new Adam([variable]);
    for (let step = 1; step <= 3; step++) {
      adam.update({ [variable.name]: gradient }, 1);
      expect(values(variable)[0]).toBeCloseTo(-0.5 * step, 4);
    }
    adam.dispose();
    tf.dispose([variable, gradient]);
  });

  test('a clip bounds the norm over all parameters, not of each', () => {
    const variables = [zeros(2), zeros(1)];
    const gradients = [tf.tensor1d([3, 0]), tf.tensor1d([4])];
    const adam = new Adam(variables, { clipNorm: 1 });
    adam.update(named(variables, gradients), 0.1);
    expect(farthest(values(adam.firstMoment), [0.06, 0, 0.08])).toBeLessThan(1e-7);
    adam.dispose();
    tf.dispose([...variables, ...gradients]);
  });

  test('an option out of range and a parameter without a gradient are errors', () => {
    const variables = makeVariables();
    const make = (options: AdamOptions) => () => new Adam(variables, options);
    expect(make({ beta1: 1 })).toThrow('beta1 = 1: use a number in [0, 1)');
    expect(make({ beta2: -0.1 })).toThrow('beta2 = -0.1');
    expect(make({ epsilon: 0 })).toThrow('epsilon = 0: use a number above 0.');
    expect(make({ clipNorm: 0 })).toThrow('clipNorm = 0');
    const adam = new Adam(variables, { clipNorm: undefined });
    const gradients = gradientsAt(0);
    const { [variables[2].name]: _, ...rest } = named(variables, gradients);
    expect(() => adam.update(rest, 0.1)).toThrow(/Parameter 2 of shape \[4\] has no gradient/);
    expect(adam.step).toBe(0);
    adam.dispose();
    tf.dispose([variables, gradients].flat());
  });
});

describe('Ema', () => {
  test('keeps min(decay, (1 + n) / (10 + n)) of itself at update n, as the float64 reference does', () => {
    const variables = makeVariables();
    const ema = new Ema(variables, 0.4);
    let expected = variables.flatMap(values);
    expect(values(ema.packed)).toEqual(expected);
    for (let n = 1; n <= 12; n++) {
      const next = gradientsAt(n);
      variables.forEach((variable, i) => variable.assign(next[i]));
      tf.dispose(next);
      const inUse = tf.memory().numTensors;
      ema.update();
      expect(tf.memory().numTensors).toBe(inUse);
      const keep = [2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15][n - 1] ?? 0.4; // 6 / 15 = 0.4 is where decay takes over
      const now = variables.flatMap(values);
      expected = expected.map((average, i) => keep * average + (1 - keep) * now[i]);
      expect(farthest(values(ema.packed), expected)).toBeLessThan(1e-6);
    }
    expect(ema.packed.dtype).toBe('float32');
    ema.dispose();
    tf.dispose(variables);
  });

  test('decay 0 gives the last weights bit for bit, and weights that stand still stay', () => {
    for (const decay of [0, 0.9]) {
      const variables = makeVariables();
      const ema = new Ema(variables, decay);
      for (let n = 0; n < 5; n++) ema.update();
      expect(values(ema.packed)).toEqual(variables.flatMap(values));
      const next = gradientsAt(0, 1e-3);
      variables.forEach((variable, i) => variable.assign(next[i]));
      ema.update();
      if (decay === 0) expect(values(ema.packed)).toEqual(variables.flatMap(values));
      else expect(values(ema.packed)).not.toEqual(variables.flatMap(values));
      ema.dispose();
      tf.dispose([variables, next].flat());
    }
  });

  test('moves by a millionth too: half precision would stand still', () => {
    const variable = tf.tidy(() => tf.variable(tf.ones([1])));
    const ema = new Ema([variable], 0.999);
    ema.step = 100_000; // the warm-up is over
    tf.tidy(() => variable.assign(tf.tensor1d([1.001])));
    for (let n = 0; n < 100; n++) ema.update();
    expect(values(ema.packed)[0]).toBeCloseTo(1 + 1e-3 * (1 - 0.999 ** 100), 5);
    expect(Math.abs(values(ema.packed)[0] - 1)).toBeGreaterThan(5e-5);
    ema.dispose();
    variable.dispose();
  });

  test.each([1, -0.1, NaN, 1.5])('decay %p is an error', (decay) => {
    const variables = makeVariables();
    expect(() => new Ema(variables, decay)).toThrow(`emaDecay = ${decay}: use a number in [0, 1)`);
    tf.dispose(variables);
  });
});

describe('warmupCosine', () => {
  test('rises in equal parts to the peak, halves it half way, ends at 0', () => {
    const rate = warmupCosine({ peak: 2e-3, warmup: 100, total: 1100 });
    expect([0, 49, 98, 99, 100].map(rate)).toEqual([2e-5, 1e-3, (2e-3 * 99) / 100, 2e-3, 2e-3]);
    expect(rate(600)).toBeCloseTo(1e-3, 12);
    expect(rate(350)).toBeCloseTo(2e-3 * 0.8535534, 9);
    expect(rate(1099)).toBeGreaterThan(0);
    expect(rate(1100)).toBeCloseTo(0, 12);
    expect(rate(5000)).toBeCloseTo(0, 12);
  });

  test('needs no warm-up, and more steps than that', () => {
    expect(warmupCosine({ peak: 1, warmup: 0, total: 4 })(0)).toBe(1);
    expect(() => warmupCosine({ peak: 1, warmup: 10, total: 10 })).toThrow(
      'total = 10 steps must be more than warmup = 10.',
    );
    expect(() => warmupCosine({ peak: 1, warmup: 10, total: NaN })).toThrow(/total = NaN/);
  });
});

describe('packing', () => {
  test('is end to end in order, and unpack and assignPacked undo it', () => {
    const variables = makeVariables();
    const expected = variables.map(values);
    const packed = pack(variables);
    expect(packed.shape).toEqual([6 + 1 + 4 + 4]);
    expect(values(packed)).toEqual(expected.flat());
    const pieces = unpack(packed, shapes);
    expect(pieces.map(({ shape }) => shape)).toEqual(shapes);
    expect(pieces.map(values)).toEqual(expected);
    tf.tidy(() => variables.forEach((variable) => variable.assign(tf.zeros(variable.shape))));
    assignPacked(variables, packed);
    expect(variables.map(values)).toEqual(expected);
    tf.dispose([packed, ...pieces, ...variables]);
  });
});
