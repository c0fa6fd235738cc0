/** Mixtures of Gaussians: density, best denoiser, and samplers that are given it. */
import { drawMixture, ringMixture, type GaussianMixture } from '../../lib/datasets';
import { linearSchedule, scoreFromEps } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { mixtureDenoiser, mixtureLogDensity } from '../../lib/oracle';
import { sample, timesteps } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const mixture: GaussianMixture = { weights: [0.3, 0.7], means: [[-1.5], [1]], std: 0.4 };
const schedule = linearSchedule({ T: 200, rescale: true });

test('the density integrates to 1 at any noise, and has the mean and variance of the mixture', () => {
  for (const abar of [1, 0.5, 0.01]) {
    const dx = 0.001;
    const moments = [0, 0, 0];
    for (let x = -10; x < 10; x += dx) {
      const p = Math.exp(mixtureLogDensity(mixture, [x], abar)) * dx;
      moments.forEach((_, power) => (moments[power] += p * x ** power));
    }
    const mean = 0.3 * -1.5 + 0.7;
    const square = 0.3 * 1.5 ** 2 + 0.7 + 0.4 ** 2;
    expect(moments[0]).toBeCloseTo(1, 9);
    expect(moments[1]).toBeCloseTo(Math.sqrt(abar) * mean, 6);
    expect(moments[2]).toBeCloseTo(abar * square + 1 - abar, 6);
  }
});

test('the denoiser is the score of that density', () => {
  const denoiser = mixtureDenoiser({ mixture, schedule });
  for (const step of [0, 80, 199]) {
    const xs = [-2, -0.3, 0, 0.8, 3];
    const scores = tf.tidy(() => {
      const t = tf.fill([xs.length], step, 'int32') as tf.Tensor1D;
      const xt = tf.tensor2d(xs, [xs.length, 1]);
      return Array.from(scoreFromEps({ schedule, t, eps: denoiser(xt, t) }).dataSync());
    });
    xs.forEach((x, i) => {
      const h = 1e-4;
      const at = (y: number) => mixtureLogDensity(mixture, [y], schedule.abar[step]);
      const slope = (at(x + h) - at(x - h)) / (2 * h);
      expect(Math.abs(scores[i] - slope)).toBeLessThan(2e-3 * (1 + Math.abs(slope)));
    });
  }
});

test('far from every mode nothing overflows', () => {
  const denoiser = mixtureDenoiser({ mixture, schedule });
  const eps = tf.tidy(() =>
    Array.from(denoiser(tf.tensor2d([[1e3], [-1e3]]), tf.tensor1d([0, 199], 'int32')).dataSync()),
  );
  expect(eps.every(Number.isFinite)).toBe(true);
  expect(Number.isFinite(mixtureLogDensity(mixture, [1e3]))).toBe(true);
});

describe.each([
  ['ddpm', { sampler: 'ddpm', variance: 'posterior' }, schedule.T],
  ['ddim, 25 steps', { sampler: 'ddim', eta: 0 }, 25],
  ['ddim, 25 steps, eta 1', { sampler: 'ddim', eta: 1 }, 25],
] as const)('%s', (_, choice, steps) => {
  test('draws from the mixture, given the best denoiser: shares of the modes and mean log-density', async () => {
    const count = 4000;
    const points = await sample({
      ...choice,
      denoiser: mixtureDenoiser({ mixture: ringMixture, schedule }),
      schedule,
      shape: [count, 2],
      generator: createGenerator(1).fork('sample'),
      timesteps: timesteps({ T: schedule.T, steps }),
    });
    const drawn = Array.from(points.dataSync());
    points.dispose();
    const real = Array.from(drawMixture(ringMixture, count, createGenerator(2)));
    const meanLog = (values: number[]) =>
      values.reduce(
        (sum, x, i) => sum + (i % 2 ? mixtureLogDensity(ringMixture, [values[i - 1], x]) : 0),
        0,
      ) / count;
    // The standard deviation of one log-density is about 1, so that of a difference of two means is 0.022;
    // the rest is what a finite number of steps costs.
    expect(Math.abs(meanLog(drawn) - meanLog(real))).toBeLessThan(0.25);
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < count; i++) {
      const angle = Math.atan2(drawn[2 * i + 1], drawn[2 * i]);
      counts[(Math.round(angle / (Math.PI / 4)) + 8) % 8]++;
    }
    // Each mode has 500 +- 21.
    counts.forEach((n) => expect(Math.abs(n - 500)).toBeLessThan(5 * 21));
  });
});

test('bad mixtures, points and noise levels are refused by name', () => {
  expect(() => mixtureDenoiser({ mixture: { ...mixture, weights: [0.5, 0.6] }, schedule })).toThrow(
    /add up to 1/,
  );
  expect(() => mixtureDenoiser({ mixture: { ...mixture, std: 0 }, schedule })).toThrow(/std is 0/);
  expect(() => mixtureLogDensity(mixture, [0, 0])).toThrow(/2 coordinates/);
  expect(() => mixtureLogDensity(mixture, [0], 1.1)).toThrow(/abar is 1.1/);
});
