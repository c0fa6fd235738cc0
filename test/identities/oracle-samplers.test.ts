/** DDPM and DDIM given the truth: what they end with, and how fast DDIM comes near its limit. */
import { linearSchedule, x0Coefficients, type Denoiser } from '../../lib/diffusion';
import { createGenerator } from '../../lib/engine';
import { symmetricEigen } from '../../lib/gaussian';
import { gaussianOracle, mixtureLogDensity, mixtureOracle } from '../../lib/oracle';
import {
  ddim,
  ddimCoefficients,
  ddpm,
  respace,
  sample,
  timesteps,
  type SampleOptions,
} from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { oracles } from '../helpers/oracles';
import { largestDifference, numbers, scripted, trace } from '../helpers/samplers';

expectNoLeaks();

describe('data of any covariance', () => {
  const data = { mean: [0.5, -0.3], covariance: [[0.5, 0.3], [0.3, 0.4]] }; // prettier-ignore
  const schedule = linearSchedule({ T: 100, rescale: true });

  /**
   * Mean and variance along one axis of the data of what the chain ends with, in float64; eta = 1 is DDPM with the
   * posterior variance.
   */
  function propagate(list: number[], eta: number, middle: number, variance: number) {
    const strides = respace(schedule, list);
    let [mean, square] = [0, 1];
    list.forEach((t, done) => {
      const i = list.length - 1 - done;
      const [c, toX0] = [ddimCoefficients(strides, i, eta), x0Coefficients(strides, i)];
      const slope =
        Math.sqrt(schedule.oneMinusAbar[t]) / (schedule.abar[t] * variance + schedule.oneMinusAbar[t]);
      const ofEps = c.x0 * toX0.eps + c.eps;
      const gain = c.x0 * toX0.xt + ofEps * slope;
      mean = gain * mean - ofEps * slope * Math.sqrt(schedule.abar[t]) * middle;
      square = gain ** 2 * square + c.sigma ** 2;
    });
    return { mean, variance: square };
  }

  const ways: [string, Partial<SampleOptions>, number, number][] = [
    ['ddpm', { sampler: 'ddpm', variance: 'posterior' }, 1, 100],
    ['ddpm, 20 steps', { sampler: 'ddpm', variance: 'posterior' }, 1, 20],
    ['ddim, 20 steps', { sampler: 'ddim' }, 0, 20],
    ['ddim, 20 steps, eta 0.5', { sampler: 'ddim', eta: 0.5 }, 0.5, 20],
  ];

  test.each(ways)('%s: mean and covariance are those of the recursion', async (_, choice, eta, steps) => {
    const count = 40_000;
    const list = timesteps({ T: 100, steps, spacing: 'trailing' });
    const points = await numbers({
      ...choice,
      denoiser: gaussianOracle(data).denoiser(schedule),
      schedule,
      shape: [count, 2],
      generator: createGenerator(5),
      timesteps: list,
    } as SampleOptions);
    const { values, axes } = symmetricEigen(data.covariance);
    const along = axes.map((axis) =>
      Float64Array.from({ length: count }, (__, i) => axis[0] * points[2 * i] + axis[1] * points[2 * i + 1]),
    );
    const average = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / count;
    const means = along.map(average);
    const covariance = (a: number, b: number) =>
      average(along[a].map((value, i) => (value - means[a]) * (along[b][i] - means[b])));
    const exact = axes.map((axis, a) =>
      propagate(list, eta, axis[0] * data.mean[0] + axis[1] * data.mean[1], values[a]),
    );
    const error = 4 / Math.sqrt(count);
    exact.forEach(({ mean, variance }, a) => {
      expect(Math.abs(means[a] - mean)).toBeLessThan(error * Math.sqrt(variance));
      expect(Math.abs(covariance(a, a) / variance - 1)).toBeLessThan(error * Math.SQRT2);
    });
    // Along the axes of the data the chain has independent coordinates.
    const size = Math.sqrt(exact[0].variance * exact[1].variance);
    expect(Math.abs(covariance(0, 1))).toBeLessThan(error * size);
  });
});

test.each(oracles)('%s: DDPM with T steps is DDIM with eta 1 on the same noise', async (_, oracle) => {
  const schedule = linearSchedule({ T: 50, rescale: true });
  const options = {
    denoiser: oracle.denoiser(schedule),
    schedule,
    shape: [8, oracle.dims],
    generator: createGenerator(9),
  };
  const [a, b] = [
    await trace(ddpm, { ...options, variance: 'posterior' as const }),
    await trace(ddim, { ...options, eta: 1 }),
  ];
  expect(a).toHaveLength(50);
  a.forEach(({ xt }, i) => expect(largestDifference(xt, b[i].xt)).toBeLessThan(1e-5));
});

describe('without fresh noise', () => {
  const schedule = linearSchedule({ T: 2000, rescale: true });
  const counts = [125, 250, 500, 1000];
  const starts = [-1.4, 0.3, 1.1];

  /** Where DDIM ends from one x_T. */
  async function end(denoiser: Denoiser, steps: number, xT: number): Promise<number> {
    const result = await sample({
      sampler: 'ddim',
      denoiser,
      schedule,
      shape: [1, 1],
      generator: scripted(xT),
      timesteps: timesteps({ T: schedule.T, steps, spacing: 'trailing' }),
    });
    const [value] = result.dataSync();
    result.dispose();
    return value;
  }

  /** The slope of the line through the points (ln count, ln error), by least squares. */
  function slopeOf(errors: number[]): number {
    const [x, y] = [counts, errors].map((values) => values.map(Math.log));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [mx, my] = [mean(x), mean(y)];
    return mean(x.map((value, i) => (value - mx) * (y[i] - my))) / mean(x.map((value) => (value - mx) ** 2));
  }

  const data = { weights: [0.3, 0.7], means: [[-0.8], [0.6]], std: 0.4 };
  const gaussian = { mean: 0.3, variance: 0.25 };
  const last = { abar: schedule.abar[1999], noise: schedule.oneMinusAbar[1999] };

  /** The flow that DDIM follows keeps x_t at the same number of standard deviations. */
  function ofGaussian(xT: number): number {
    const std = Math.sqrt(last.abar * gaussian.variance + last.noise);
    return gaussian.mean + (Math.sqrt(gaussian.variance) * (xT - Math.sqrt(last.abar) * gaussian.mean)) / std;
  }

  /** And, in one dimension, at the same quantile of whatever distribution. */
  function ofMixture(xT: number): number {
    const below = (x: number, abar: number): number => {
      const [n, from] = [2000, -8];
      const h = (x - from) / n;
      let sum = 0;
      for (let i = 0; i <= n; i++) {
        const weight = i === 0 || i === n ? 1 : i % 2 ? 4 : 2;
        sum += weight * Math.exp(mixtureLogDensity(data, [from + i * h], abar));
      }
      return (sum * h) / 3;
    };
    const share = below(xT, last.abar);
    let [low, high] = [-6, 6];
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (below(middle, 1) < share) low = middle;
      else high = middle;
    }
    return low;
  }

  test.each<[string, Denoiser, (xT: number) => number]>([
    ['a Gaussian', gaussianOracle(gaussian).denoiser(schedule), ofGaussian],
    ['a mixture', mixtureOracle(data).denoiser(schedule), ofMixture],
  ])('%s: DDIM is a method of first order', async (_, denoiser, limit) => {
    const errors: number[] = [];
    for (const steps of counts) {
      const apart = await Promise.all(starts.map(async (xT) => (await end(denoiser, steps, xT)) - limit(xT)));
      errors.push(Math.hypot(...apart));
    }
    expect(errors[3]).toBeLessThan(0.01);
    expect(Math.abs(slopeOf(errors) + 1)).toBeLessThan(0.15);
  });
});
