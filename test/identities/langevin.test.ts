/** Langevin dynamics on scores that are known: against the closed form of the chain with finite steps. */
import { createGenerator, tf } from '../../lib/engine';
import { linearSchedule } from '../../lib/diffusion';
import { gaussianOracle, mixtureOracle, type Oracle } from '../../lib/oracle';
import {
  langevin,
  langevinMoments,
  langevinStationary,
  scoreOf,
  type LangevinOptions,
} from '../../lib/sampling';
import { near } from '../helpers/gaussians';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const schedule = linearSchedule({ T: 12, betaStart: 0.02, betaEnd: 0.4 });
const t = 3;

/** The state after the last step, as numbers. */
async function end(options: LangevinOptions): Promise<number[]> {
  let values: number[] = [];
  for await (const { x } of langevin(options)) values = Array.from(x.dataSync());
  return values;
}

const scoreOfOracle = (oracle: Oracle) => scoreOf({ denoiser: oracle.denoiser(schedule), schedule, t });

describe('of a Gaussian', () => {
  const target = { mean: 0.5, variance: 0.7 };

  test('the recursion of the moments ends at the stationary ones', () => {
    for (const stepSize of [0.01, 0.3, 2]) {
      const start = { mean: -3, variance: 0 };
      const moments = langevinMoments({ start, target, stepSize, steps: 3000 });
      const stationary = langevinStationary(target, stepSize);
      expect(moments.length).toBe(3001);
      expect(moments[0]).toBe(start);
      near(moments[3000].mean, stationary.mean, 1e-8);
      near(moments[3000].variance, stationary.variance, 1e-8);
      expect(stationary.variance).toBeGreaterThan(target.variance);
    }
  });

  test('one step of the sampler is the recursion, for the same noise', async () => {
    const data = { mean: [1, -0.5], covariance: [[0.5, 0.3], [0.3, 0.4]] }; // prettier-ignore
    const oracle = gaussianOracle(data);
    const options = { score: scoreOfOracle(oracle), shape: [3, 2], generator: createGenerator(2) };
    const after = await end({ ...options, stepSize: 0.2, steps: 5 });
    let x = tf.tidy(() => Array.from(options.generator.fork('x').normal([3, 2]).dataSync()));
    for (let k = 0; k < 5; k++) {
      const z = tf.tidy(() => options.generator.fork('z', k).normal([3, 2]).dataSync());
      const scores = [0, 1, 2].flatMap(
        (i) => oracle.at({ schedule, xt: x.slice(2 * i, 2 * i + 2), t }).score,
      );
      x = x.map((value, i) => value + 0.1 * scores[i] + Math.sqrt(0.2) * z[i]);
    }
    after.forEach((value, i) => near(value, x[i], 1e-5));
  });

  test.each([true, false])(
    'samples have its mean and covariance within three standard errors, eager %s',
    async (eager) => {
      const [n, stepSize] = [20_000, 0.3];
      const data = { mean: [1, -0.5], variance: [0.5, 0.1] };
      const score = scoreOfOracle(gaussianOracle(data));
      const options = { score, shape: [n, 2], generator: createGenerator(3), stepSize, steps: 60, every: 20 };
      const x = await end({ ...options, eager });
      const { abar, oneMinusAbar } = schedule;
      for (const axis of [0, 1]) {
        const noisy = {
          mean: Math.sqrt(abar[t]) * data.mean[axis],
          variance: abar[t] * data.variance[axis] + oneMinusAbar[t],
        };
        const { mean, variance } = langevinStationary(noisy, stepSize);
        // 60 steps are enough: what is left of the start is far below a standard error.
        const left = langevinMoments({
          start: { mean: 0, variance: 1 },
          target: noisy,
          stepSize,
          steps: 60,
        })[60];
        near(left.mean, mean, 1e-4);
        near(left.variance, variance, 1e-4);
        const values = x.filter((_, i) => i % 2 === axis);
        const average = values.reduce((sum, value) => sum + value, 0) / n;
        const spread = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (n - 1);
        near(average, mean, 3 * Math.sqrt(variance / n));
        near(spread, variance, 3 * variance * Math.sqrt(2 / (n - 1)));
        // The step is so large that the target itself is told apart.
        expect(Math.abs(spread - noisy.variance)).toBeGreaterThan(3 * variance * Math.sqrt(2 / n));
      }
      const ofBoth = x.reduce((sum, value, i) => (i % 2 ? sum : sum + value * x[i + 1]), 0) / n;
      const means = [0, 1].map((axis) => x.filter((_, i) => i % 2 === axis).reduce((a, b) => a + b, 0) / n);
      near(ofBoth - means[0] * means[1], 0, (3 * Math.sqrt(0.8 * 0.5)) / Math.sqrt(n));
    },
  );
});

test('of a mixture: from one peak the walk reaches the other, and the start is forgotten', async () => {
  const score = scoreOfOracle(mixtureOracle({ weights: [0.3, 0.7], means: [[-1], [1]], std: 0.4 }));
  const x = tf.fill([4000, 1], -1);
  const options = { score, shape: [4000, 1], generator: createGenerator(4), x, stepSize: 0.05, every: 100 };
  const shareRight = async (steps: number) =>
    (await end({ ...options, steps })).filter((value) => value > 0).length / 4000;
  const [early, late] = [await shareRight(3), await shareRight(1000)];
  x.dispose();
  expect(early).toBeLessThan(0.2);
  expect(Math.abs(late - 0.7)).toBeLessThan(0.05);
});

test('yields every so many steps and after the last, stops when told, and does not depend on batches', async () => {
  const score = (x: tf.Tensor) => tf.neg(x);
  const options = { score, shape: [4, 1], generator: createGenerator(5), stepSize: 0.1, steps: 7 };
  const steps: number[] = [];
  for await (const { step } of langevin({ ...options, every: 3 })) steps.push(step);
  expect(steps).toEqual([3, 6, 7]);
  const whole = await end(options);
  expect(await end({ ...options, shape: [2, 1], firstSample: 2 })).toEqual(whole.slice(2));
  const stop = { stopped: true };
  expect(await end({ ...options, stop })).toEqual([]);
  for await (const { step } of langevin(options)) if (step === 2) break;
});

test('bad options are refused at the call', () => {
  const score = (x: tf.Tensor) => tf.neg(x);
  const options = { score, shape: [4, 1], generator: createGenerator(5), stepSize: 0.1, steps: 7 };
  expect(() => langevin({ ...options, stepSize: 0 })).toThrow(/stepSize is 0/);
  expect(() => langevin({ ...options, steps: 1.5 })).toThrow(/steps is 1.5/);
  expect(() => langevin({ ...options, every: 0 })).toThrow(/every is 0/);
  const x = tf.zeros([3, 1]);
  expect(() => langevin({ ...options, x })).toThrow(/x has shape \[3,1\]/);
  x.dispose();
  expect(() => langevinStationary({ mean: 0, variance: 1 }, 4)).toThrow(/overshoots/);
  expect(() => langevinStationary({ mean: 0, variance: 0 }, 1)).toThrow(/target.variance is 0/);
  const denoiser = (xt: tf.Tensor) => tf.zerosLike(xt);
  expect(() => scoreOf({ denoiser, schedule, t: 12 })).toThrow(/t is 12/);
});
