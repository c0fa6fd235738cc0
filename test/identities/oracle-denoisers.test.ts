/** The oracles on tensors: the float64 values to float32 rounding, whatever the batch. */
import { isPure } from '../../lib/compile';
import { linearSchedule, predictX0, qSample, scoreFromEps, vFromEps } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { empiricalOracle, gaussianOracle } from '../../lib/oracle';
import { expectNoLeaks } from '../helpers/leaks';
import { oracles } from '../helpers/oracles';

expectNoLeaks();

// From 5 % of noise on: before that, float32 tells x_t from a data point by too few digits.
const schedule = linearSchedule({ T: 40, betaStart: 0.05, betaEnd: 0.3 });
const steps = [0, 1, 10, 25, 39, 0];

describe.each(oracles)('%s', (_, oracle) => {
  const { dims } = oracle;
  const denoiser = oracle.denoiser(schedule);
  const points = steps.map((_t, row) =>
    Array.from({ length: dims }, (__, i) => Math.sin(3 * row + 2 * i + 1)),
  );
  const truth = steps.map((t, row) => oracle.at({ schedule, xt: points[row].map(Math.fround), t }));
  /** Runs f on the points as a batch of the given shape. */
  const run = (shape: number[], f: (xt: tf.Tensor, t: tf.Tensor1D) => tf.Tensor): number[] =>
    tf.tidy(() => {
      const result = f(tf.tensor(points.flat(), shape), tf.tensor1d(steps, 'int32'));
      expect(result.shape).toEqual(shape);
      return Array.from(result.dataSync());
    });
  const compare = (found: number[], expected: number[]) =>
    found.forEach((value, i) =>
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i]))),
    );

  test('finds eps, each sample at its own step, in batches of any shape', () => {
    const expected = truth.flatMap(({ eps }) => eps);
    for (const shape of [[6, dims], [6, dims, 1, 1], [6, 1, dims]]) compare(run(shape, denoiser), expected); // prettier-ignore
  });

  test('x0, v and the score follow by the conversions of lib/diffusion', () => {
    const shape = [6, dims];
    const after =
      (f: (o: { schedule: typeof schedule; xt: tf.Tensor; t: tf.Tensor1D; eps: tf.Tensor }) => tf.Tensor) =>
      (xt: tf.Tensor, t: tf.Tensor1D) =>
        f({ schedule, xt, t, eps: denoiser(xt, t) });
    compare(run(shape, after(scoreFromEps)), truth.flatMap(({ score }) => score)); // prettier-ignore
    // Division by sqrt(abar), 0.03 at the end, enlarges rounding in x0 and v: compare what was divided.
    const signal = truth.flatMap((__, row) => points[row].map(() => Math.sqrt(schedule.abar[steps[row]])));
    const scaled = (values: number[]) => values.map((value, i) => value * signal[i]);
    compare(scaled(run(shape, after(predictX0))), scaled(truth.flatMap(({ x0 }) => x0)));
    compare(scaled(run(shape, after(vFromEps))), scaled(truth.flatMap(({ v }) => v)));
  });

  test('is declared pure, makes one tensor, and refuses samples of another size', () => {
    expect(isPure(denoiser)).toBe(true);
    tf.tidy(() => {
      const [xt, t] = [tf.zeros([6, dims]), tf.tensor1d(steps, 'int32')];
      const before = tf.memory().numTensors;
      denoiser(xt, t);
      expect(tf.memory().numTensors).toBe(before + 1);
      expect(() => denoiser(tf.zeros([6, dims + 1]), t)).toThrow(
        `but the oracle's data have ${dims} numbers`,
      );
      expect(() => denoiser(xt, t.slice(0, 5))).toThrow(/5.*6|6.*5/);
      expect(() => denoiser(xt, t.toFloat() as tf.Tensor1D)).toThrow(/t is of type float32/);
    });
  });
});

test('far from all data nothing overflows', () => {
  for (const [, oracle] of oracles) {
    const eps = tf.tidy(() => {
      const xt = tf.fill([2, oracle.dims], 1e3);
      return Array.from(
        oracle
          .denoiser(schedule)(xt, tf.tensor1d([0, 39], 'int32'))
          .dataSync(),
      );
    });
    expect(eps.every(Number.isFinite)).toBe(true);
  }
});

test('no other denoiser has a smaller error, and this one has what theory says', () => {
  // For data N(m, S) the error of eps left at step t is the mean over axes of abar S / (abar S + 1 - abar).
  const data = { mean: [1, -0.5], covariance: [[0.5, 0.3], [0.3, 0.4]] }; // prettier-ignore
  const [t, count] = [12, 40_000];
  const [abar, noise] = [schedule.abar[t], schedule.oneMinusAbar[t]];
  const half = Math.hypot(0.05, 0.3);
  const exact = [0.45 + half, 0.45 - half].reduce((sum, s) => sum + (abar * s) / (abar * s + noise) / 2, 0);
  const error = (change: (eps: tf.Tensor) => tf.Tensor): number =>
    tf.tidy(() => {
      const generator = createGenerator(4);
      const [z, eps] = ['x0', 'eps'].map((name) => generator.fork(name).normal([count, 2]));
      // The factor of the covariance: rows [l, 0] and [0.3 / l, rest].
      const [l, below] = [Math.sqrt(0.5), 0.3 / Math.sqrt(0.5)];
      const factor = tf.tensor2d([[l, below], [0, Math.sqrt(0.4 - below ** 2)]]); // prettier-ignore
      const x0 = tf.matMul(z as tf.Tensor2D, factor).add(tf.tensor1d(data.mean));
      const at = tf.fill([count], t, 'int32') as tf.Tensor1D;
      const xt = qSample<tf.Tensor>({ schedule, x0, t: at, eps });
      const found = change(gaussianOracle(data).denoiser(schedule)(xt, at));
      return tf.mean(tf.squaredDifference(found, eps)).dataSync()[0];
    });
  const best = error((eps) => eps);
  // A squared error varies by about twice itself: 4 standard errors of its mean.
  expect(Math.abs(best - exact)).toBeLessThan((4 * 2 * exact) / Math.sqrt(count));
  for (const change of [0.97, 1.03]) expect(error((eps) => eps.mul(change))).toBeGreaterThan(best);
  for (const shift of [-0.02, 0.02]) expect(error((eps) => eps.add(shift))).toBeGreaterThan(best);
});

test('of a training set of many points: the softmax over all of them', () => {
  const set = Array.from({ length: 500 }, (_, i) => [Math.cos(i), Math.sin(1.7 * i), Math.sin(i)]);
  const oracle = empiricalOracle(set);
  const found = tf.tidy(() => {
    const xt = tf.tensor2d([[0.3, -0.2, 0.5]]);
    return Array.from(
      oracle
        .denoiser(schedule)(xt, tf.tensor1d([8], 'int32'))
        .dataSync(),
    );
  });
  const xt = [0.3, -0.2, 0.5].map(Math.fround);
  oracle
    .at({ schedule, xt, t: 8 })
    .eps.forEach((eps, i) => expect(Math.abs(found[i] - eps)).toBeLessThan(1e-5));
});
