/** The forward process and the loss on tensors, against numbers computed by hand. */
import { createGenerator, tf } from '../../lib/engine';
import {
  forwardCoefficients,
  gatherSchedule,
  linearSchedule,
  noiseMse,
  qSample,
  qStep,
  sampleTimesteps,
  scheduleFromBetas,
} from '../../lib/diffusion';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const values = (x: tf.Tensor) => Array.from(x.dataSync());
const steps = (...t: number[]) => tf.tensor1d(t, 'int32');

// Frees what the tests make; what the functions themselves leave is counted below.
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

function expectClose(actual: tf.Tensor, expected: number[], tolerance = 1e-6) {
  const got = values(actual);
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(tolerance));
}

describe('gatherSchedule', () => {
  test('looks up the original indices, in any order and repeated', () => {
    const abar = gatherSchedule(toy.abar, steps(3, 1, 1, 0), 4);
    expect(abar.shape).toEqual([4, 1, 1, 1]);
    expect(abar.dtype).toBe('float32');
    expectClose(abar, [0.3024, 0.72, 0.72, 0.9]);
  });

  test('leaves one tensor behind', () => {
    const t = steps(0);
    const count = tf.memory().numTensors;
    gatherSchedule(toy.abar, t, 2);
    expect(tf.memory().numTensors).toBe(count + 1);
  });
});

describe('qSample', () => {
  test('noises each sample at its own step', () => {
    const x0 = tf.tensor4d([1, -1, 0.5, 0.25, 1, 0], [3, 1, 2, 1]);
    const eps = tf.tensor4d([0.3, 2, -1, 0.5, 0, 1], [3, 1, 2, 1]);
    const xt = qSample({ schedule: toy, x0, t: steps(0, 3, 2), eps });
    expect(xt.shape).toEqual([3, 1, 2, 1]);
    const [x, e] = [values(x0), values(eps)];
    const expected = [0, 0, 3, 3, 2, 2].map((t, i) => {
      const abar = [0.9, 0.72, 0.504, 0.3024][t];
      return Math.sqrt(abar) * x[i] + Math.sqrt(1 - abar) * e[i];
    });
    expectClose(xt, expected);
  });

  test('leaves one tensor behind and its inputs alive', () => {
    const [x0, eps, t] = [tf.ones([2, 28, 28, 1]), tf.zeros([2, 28, 28, 1]), steps(1, 2)];
    const count = tf.memory().numTensors;
    qSample({ schedule: toy, x0, t, eps });
    expect(tf.memory().numTensors).toBe(count + 1);
    expect([x0, eps, t].some((tensor) => tensor.isDisposed)).toBe(false);
  });

  test('keeps the variance of data of variance 1', () => {
    for (let t = 0; t < toy.T; t++) {
      const c = forwardCoefficients(toy, t);
      expect(Math.abs(c.x0 ** 2 + c.eps ** 2 - 1)).toBeLessThan(1e-15);
    }
  });

  test('lets gradients through: d x_t / d x_0 = sqrt(abar_t)', () => {
    const [t, eps] = [steps(3, 0), tf.zeros([2, 2])];
    const gradient = tf.grad((x0) => qSample({ schedule: toy, x0, t, eps }))(tf.ones([2, 2]));
    expectClose(gradient, [0.3024, 0.3024, 0.9, 0.9].map(Math.sqrt));
  });
});

/**
 * Rows that each carry one source only: row 0 the image, row 1 + s the noise of step s. What the chain makes of row r
 * is the weight of source r, so that mean and variance of the whole chain can be read off exactly.
 */
test('steps taken one by one end where the closed form ends: mean 0.549909, variance 0.6976', () => {
  const rows = toy.T + 1;
  const source = (row: number) => tf.oneHot(steps(row), rows).toFloat().reshape([rows, 1]);
  let x = source(0);
  for (let t = 0; t < toy.T; t++) {
    x = qStep({ schedule: toy, xPrev: x, t: tf.fill([rows], t, 'int32') as tf.Tensor1D, eps: source(1 + t) });
  }
  const [mean, ...noise] = values(x);
  expect(mean).toBeCloseTo(0.549909, 6);
  expect(noise.reduce((sum, weight) => sum + weight ** 2, 0)).toBeCloseTo(0.6976, 6);
  expect(mean).toBeCloseTo(forwardCoefficients(toy, 3).x0, 6);
});

describe('noiseMse', () => {
  test('is the mean over everything', () => {
    const loss = noiseMse(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 0, 3, 1], [2, 2]));
    expect(loss.shape).toEqual([]);
    expectClose(loss, [(4 + 9) / 4]);
  });

  test('is 1 for a network that always predicts 0', () => {
    const eps = createGenerator(3).normal([100, 28, 28, 1]);
    expect(Math.abs(values(noiseMse(eps, tf.zerosLike(eps)))[0] - 1)).toBeLessThan(0.02);
  });
});

describe('sampleTimesteps', () => {
  test('gives each sample of a batch its own int32 step', () => {
    const t = sampleTimesteps({ generator: createGenerator(0), batchSize: 64, T: 1000 });
    expect(t.shape).toEqual([64]);
    expect(t.dtype).toBe('int32');
    expect(new Set(values(t)).size).toBeGreaterThan(32);
  });

  test('reaches every step from 0 to T - 1 equally often', () => {
    const [T, draws] = [20, 1e5];
    const histogram = new Array<number>(T).fill(0);
    for (const t of values(sampleTimesteps({ generator: createGenerator(1), batchSize: draws, T })))
      histogram[t]++;
    expect(histogram).toHaveLength(T);
    const expected = draws / T;
    const chiSquare = histogram.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(43.8); // exceeded by chance once in 1000 for 19 degrees of freedom
  });

  test('covers the ends of a long schedule', () => {
    const t = values(sampleTimesteps({ generator: createGenerator(2), batchSize: 1e5, T: 300 }));
    expect(Math.min(...new Set(t))).toBe(0);
    expect(Math.max(...new Set(t))).toBe(299);
  });

  test('feeds qSample as it is', () => {
    const schedule = linearSchedule({ T: 300 });
    const t = sampleTimesteps({ generator: createGenerator(2), batchSize: 8, T: 300 });
    const x = qSample({ schedule, x0: tf.ones([8, 2]), t, eps: tf.zeros([8, 2]) });
    expectClose(
      x.slice([0, 0], [8, 1]),
      values(t).map((step) => Math.sqrt(schedule.abar[step])),
    );
  });
});

test.each<[string, (x: tf.Tensor4D, t: tf.Tensor1D) => tf.Tensor]>([
  ['qStep', (x, t) => qStep({ schedule: toy, xPrev: x, t, eps: x })],
  ['noiseMse', (x) => noiseMse(x, x)],
  ['sampleTimesteps', () => sampleTimesteps({ generator: createGenerator(0), batchSize: 2, T: 4 })],
])('%s leaves one tensor behind and its inputs alive', (_, call) => {
  const [x, t] = [tf.ones([2, 3, 3, 1]) as tf.Tensor4D, steps(1, 2)];
  const count = tf.memory().numTensors;
  const result = call(x, t);
  expect(tf.memory().numTensors).toBe(count + 1);
  expect([x, t, result].some((tensor) => tensor.isDisposed)).toBe(false);
});
