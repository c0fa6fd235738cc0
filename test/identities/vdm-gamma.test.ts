/** Levels of noise, and the schedules that run through them. */
import { createGenerator, tf } from '../../lib/engine';
import {
  alphaOf,
  ancestralCoefficients,
  antitheticTimes,
  fixedGamma,
  gammaOf,
  gammaValues,
  linearGamma,
  monotoneGamma,
  scheduleFromGammas,
  sigmaOf,
  stepOfTime,
  type GammaSchedule,
  type GammaShape,
} from '../../lib/vdm';
import { gradientError, parameterGradientError, randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const ends = { gammaMin: -13.3, gammaMax: 5 };
const shapes: GammaShape[] = ['linear', 'cosine', 'sigmoid'];
const times = Array.from({ length: 101 }, (_, i) => i / 100);

/** A monotone network with weights that are far from its first ones. */
function bent(seed: number, options: object = {}): GammaSchedule {
  const schedule = monotoneGamma({ ...ends, units: 8, ...options });
  for (const [path, variable] of schedule.interior) {
    const noise = createGenerator(seed).fork(path).normal(variable.shape);
    tf.tidy(() => variable.assign(tf.add(variable, tf.mul(noise, path === 'bias2' ? 3 : 1))));
    noise.dispose();
  }
  return schedule;
}

const schedules: [string, () => GammaSchedule][] = [
  ...shapes.map((shape): [string, () => GammaSchedule] => [shape, () => fixedGamma({ ...ends, shape })]),
  ['linear with learned ends', () => linearGamma(ends)],
  ['monotone, fresh', () => monotoneGamma({ ...ends, units: 6 })],
  ['monotone, fixed ends', () => bent(1, { learnEnds: false })],
  ['monotone, other weights', () => bent(2)],
  ['monotone, one unit', () => bent(3, { units: 1 })],
];

test('alpha and sigma share the variance, and gamma is -ln of the signal to noise', () => {
  for (const gamma of [-30, -13.3, -1, 0, 2, 5, 30]) {
    const [alpha, sigma] = [alphaOf(gamma), sigmaOf(gamma)];
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14);
    expect(Math.log(sigma ** 2 / alpha ** 2) / (gamma || 1)).toBeCloseTo(gamma ? 1 : 0, 12);
  }
  expect(sigmaOf(-40) ** 2 / Math.exp(-40)).toBeCloseTo(1, 14);
  for (const gamma of [-13.3, 0, 5]) expect(gammaOf(alphaOf(gamma) ** 2)).toBeCloseTo(gamma, 8);
});

describe.each(schedules)('%s', (_, make) => {
  test('starts and stops at its ends, and rises everywhere', async () => {
    const schedule = make();
    const { gamma, slope } = await gammaValues(schedule, times);
    schedule.dispose();
    expect(gamma[0]).toBeCloseTo(ends.gammaMin, 4);
    expect(gamma[100]).toBeCloseTo(ends.gammaMax, 4);
    gamma.slice(1).forEach((value, i) => expect(value).toBeGreaterThan(gamma[i]));
    slope.forEach((value) => expect(value).toBeGreaterThan(0));
  });

  test('the slope is the gradient by t', () => {
    const schedule = make();
    tf.tidy(() => {
      const t = tf.tensor1d([0.01, 0.2, 0.5, 0.77, 0.99]);
      const gradient = tf
        .grad((x: tf.Tensor) => schedule.gamma(x))(t)
        .dataSync();
      schedule
        .slope(t)
        .dataSync()
        .forEach((value, i) => expect(value / gradient[i]).toBeCloseTo(1, 4));
    });
    schedule.dispose();
  });

  test('gradients by its variables, of gamma and of the slope', () => {
    const schedule = make();
    const variables = new Map([...schedule.ends, ...schedule.interior]);
    const t = tf.tensor1d([0.1, 0.4, 0.6]);
    if (variables.size > 0) {
      for (const f of [schedule.gamma, schedule.slope]) {
        const used = new Map([...variables].filter(([name]) => name !== 'start' || f === schedule.gamma));
        const errors = parameterGradientError(() => f(t), used, { step: 0.03 });
        errors.forEach((error) => expect(error).toBeLessThan(0.02));
      }
    }
    t.dispose();
    schedule.dispose();
  });
});

test.each(shapes)('%s: numbers as tensors', async (shape) => {
  const schedule = fixedGamma({ ...ends, shape });
  const { gamma, slope } = await gammaValues(schedule, times);
  times.forEach((t, i) => {
    expect(gamma[i]).toBeCloseTo(schedule.at(t).gamma, 3);
    expect(slope[i] / schedule.at(t).slope).toBeCloseTo(1, 3);
    if (t < 0.01 || t > 0.99) return;
    const numeric = (schedule.at(t + 1e-5).gamma - schedule.at(t - 1e-5).gamma) / 2e-5;
    expect(schedule.at(t).slope / numeric).toBeCloseTo(1, 5);
  });
});

test('cosine: abar is the squared cosine of an angle that runs evenly', () => {
  const schedule = fixedGamma({ ...ends, shape: 'cosine' });
  const angles = times.map((t) => Math.acos(alphaOf(schedule.at(t).gamma)));
  const step = (angles[100] - angles[0]) / 100;
  angles.forEach((angle, i) => expect(angle).toBeCloseTo(angles[0] + step * i, 10));
});

test('fresh, the monotone network is nearly a line', async () => {
  const schedule = monotoneGamma(ends);
  const { gamma } = await gammaValues(schedule, times);
  schedule.dispose();
  times.forEach((t, i) => expect(Math.abs(gamma[i] - (-13.3 + 18.3 * t))).toBeLessThan(0.4));
});

test('an ancestral step keeps the law of z: means and variances add up', () => {
  const [gammaS, gammaT] = [-2, 0.5];
  const c = ancestralCoefficients({ gammaS, gammaT });
  // With the true noise put in, z_s = alpha_s x + sigma_s times a standard normal number.
  expect(c.zt * alphaOf(gammaT)).toBeCloseTo(alphaOf(gammaS), 12);
  expect(Math.hypot(c.zt * sigmaOf(gammaT) + c.eps, c.z)).toBeCloseTo(sigmaOf(gammaS), 12);
});

test('an ancestral step keeps its digits when it is short', () => {
  const c = ancestralCoefficients({ gammaS: 1 - 1e-12, gammaT: 1 });
  expect(c.z ** 2 / (1e-12 * sigmaOf(1) ** 2)).toBeCloseTo(1, 3);
});

test('levels as a table of steps: abar, and the posterior of each step is the ancestral one', () => {
  const gammas = Array.from({ length: 21 }, (_, i) => -13.3 + (18.3 * i) / 20);
  const schedule = scheduleFromGammas(gammas);
  gammas.forEach((gamma, t) => {
    expect(schedule.oneMinusAbar[t] / sigmaOf(gamma) ** 2).toBeCloseTo(1, 12);
    expect(schedule.logSnr[t]).toBeCloseTo(-gamma, 9);
    if (t === 0) return;
    const { z } = ancestralCoefficients({ gammaS: gammas[t - 1], gammaT: gamma });
    expect(z ** 2 / schedule.posteriorVariance[t]).toBeCloseTo(1, 10);
  });
});

describe('times', () => {
  test.each([0, 0.3, 0.999999])('cover [0, 1) evenly, u = %s', (u) => {
    const sorted = [...antitheticTimes({ u, count: 64 })].sort((a, b) => a - b);
    expect(sorted[0]).toBeGreaterThanOrEqual(0);
    expect(sorted[63]).toBeLessThan(1);
    sorted.slice(1).forEach((t, i) => expect(t - sorted[i]).toBeCloseTo(1 / 64, 12));
  });

  test('make the mean over a batch scatter less', () => {
    const random = createGenerator(4);
    const spread = (draw: (i: number) => number[]): number => {
      const means = Array.from({ length: 200 }, (_, i) => draw(i).reduce((s, t) => s + t * t, 0) / 32);
      const mean = means.reduce((s, m) => s + m, 0) / 200;
      expect(mean).toBeCloseTo(1 / 3, 1);
      return means.reduce((s, m) => s + (m - mean) ** 2, 0) / 200;
    };
    const numbers = (path: [string, number], count: number): number[] =>
      tf.tidy(() => [
        ...random
          .fork(...path)
          .uniform([count])
          .dataSync(),
      ]);
    const independent = spread((i) => numbers(['all', i], 32));
    const antithetic = spread((i) => [...antitheticTimes({ u: numbers(['one', i], 1)[0], count: 32 })]);
    expect(antithetic).toBeLessThan(independent / 20);
  });

  test('fall into the step that ends after them', () => {
    expect(stepOfTime(0, 10)).toEqual({ s: 0, t: 0.1 });
    expect(stepOfTime(0.9999, 10)).toEqual({ s: 0.9, t: 1 });
    expect(stepOfTime(0.5, 1)).toEqual({ s: 0, t: 1 });
  });
});

test('the gradient of gamma by t can be used again: of the slope by t', () => {
  const schedule = monotoneGamma({ ...ends, units: 4 });
  const t = tf.tensor1d([0.2, 0.7]);
  expect(gradientError((x) => schedule.slope(x), [t], { step: 1e-3 })[0]).toBeLessThan(0.02);
  t.dispose();
  schedule.dispose();
});

test('other random weights, the same ends', async () => {
  const schedule = monotoneGamma({ ...ends, learnEnds: false });
  randomise(schedule.interior, createGenerator(9), 1);
  const { gamma } = await gammaValues(schedule, [0, 1]);
  schedule.dispose();
  expect(gamma[0]).toBeCloseTo(ends.gammaMin, 4);
  expect(gamma[1]).toBeCloseTo(ends.gammaMax, 4);
});
