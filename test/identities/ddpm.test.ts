/** The ancestral sampler step by step: its update, its order, its noise; and a whole chain against its recursion. */
import { Generator, createGenerator, tf } from '../../lib/engine';
import {
  Denoiser,
  cosineSchedule,
  epsMeanCoefficients,
  linearSchedule,
  posteriorCoefficients,
  x0Coefficients,
} from '../../lib/diffusion';
import { ddpm, reverseSigma } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { base, elementwise, scripted, toy, trace, values } from '../helpers/samplers';

expectNoLeaks();

describe('the loop', () => {
  test('calls the denoiser exactly once at each of T - 1, ..., 0, with all samples at that int32 step', async () => {
    const seen: number[][] = [];
    const spy: Denoiser = (xt, t) => {
      expect(t.dtype).toBe('int32');
      seen.push(values(t));
      return elementwise(xt, t);
    };
    const states = await trace(ddpm, { ...base(), denoiser: spy, schedule: linearSchedule({ T: 50 }) });
    const countdown = Array.from({ length: 50 }, (_, i) => 49 - i);
    expect(seen).toEqual(countdown.map((t) => [t, t]));
    expect(states.map(({ t }) => t)).toEqual(countdown);
    expect(states.map(({ nfe }) => nfe)).toEqual(countdown.map((t) => 50 - t));
  });

  test('draws x_T and one z a step, none at t = 0, each from its own stream at the first sample', async () => {
    const asked: string[] = [];
    await trace(ddpm, { ...base(), generator: scripted(0.5, asked), firstSample: 64 });
    expect(asked).toEqual(['x_T 64', 'z 3 64', 'z 2 64', 'z 1 64']);
  });

  test.each(['beta', 'posterior'] as const)("makes the notes' update with sigma^2 = %s", async (variance) => {
    const eps = (x: number, t: number) => Math.sin(0.8 * x + 0.01 * t);
    const states = await trace(ddpm, { ...base(), variance, generator: scripted(0.5) });
    let x = 0.5;
    for (const state of states) {
      const { t } = state;
      const [beta, abar] = [toy.betas[t], toy.abar[t]];
      const x0 = (x - Math.sqrt(1 - abar) * eps(x, t)) / Math.sqrt(abar);
      const sigma = Math.sqrt(variance === 'beta' ? beta : (beta * (1 - toy.abarPrev[t])) / (1 - abar));
      const mean = (x - (beta / Math.sqrt(1 - abar)) * eps(x, t)) / Math.sqrt(1 - beta);
      x = t > 0 ? mean + sigma * t : mean;
      for (const found of state.x0Hat) expect(found).toBeCloseTo(x0, 5);
      for (const found of state.xt) expect(found).toBeCloseTo(x, 5);
    }
  });

  test('adds nothing at the last step: its result is x0Hat', async () => {
    for (const variance of ['beta', 'posterior'] as const) {
      const last = (await trace(ddpm, { ...base(), variance })).pop();
      last?.xt.forEach((x, i) => expect(x).toBeCloseTo(last.x0Hat[i], 5));
    }
  });

  test('clips x0Hat, and steps towards the clipped image, only when asked to', async () => {
    const wild: Denoiser = (xt) => xt.mul(-3) as tf.Tensor4D;
    const free = await trace(ddpm, { ...base(), denoiser: wild, generator: scripted(0.5) });
    expect(Math.max(...free[0].x0Hat)).toBeGreaterThan(1);
    const clipped = await trace(ddpm, {
      ...base(),
      denoiser: wild,
      generator: scripted(0.5),
      clipDenoised: true,
    });
    let x = 0.5;
    for (const { t, xt, x0Hat } of clipped) {
      const toX0 = x0Coefficients(toy, t);
      const c = posteriorCoefficients(toy, t);
      const x0 = Math.max(-1, Math.min(1, toX0.xt * x + toX0.eps * -3 * x));
      x = c.x0 * x0 + c.xt * x + reverseSigma(toy, t, 'beta') * t;
      expect(x0Hat[0]).toBeCloseTo(x0, 5);
      expect(xt[0]).toBeCloseTo(x, 5);
    }
  });

  test('clipping changes nothing where there is nothing to clip', async () => {
    const schedule = linearSchedule({ T: 20 });
    // The noise that leads back to the image 0.1 x_t, far inside [-1, 1].
    const tame: Denoiser = (xt, t) => {
      const abar = schedule.abar[values(t)[0]];
      return xt.mul((1 - 0.1 * Math.sqrt(abar)) / Math.sqrt(1 - abar)) as tf.Tensor4D;
    };
    const free = await trace(ddpm, { ...base(), schedule, denoiser: tame });
    const clipped = await trace(ddpm, { ...base(), schedule, denoiser: tame, clipDenoised: true });
    free.forEach(({ xt }, i) =>
      xt.forEach((x, j) => expect(Math.abs(x - clipped[i].xt[j])).toBeLessThan(1e-5)),
    );
  });

  test('stays finite on the cosine schedule when clipped', async () => {
    const last = (await trace(ddpm, { ...base(), schedule: cosineSchedule(), clipDenoised: true })).pop();
    for (const x of last?.xt ?? [NaN]) expect(Math.abs(x)).toBeLessThanOrEqual(1);
  });
});

describe('reverseSigma', () => {
  const linear = linearSchedule();
  test('is a standard deviation, not a variance', () => {
    expect(reverseSigma(linear, 500, 'beta')).toBeCloseTo(0.100299, 6);
    expect(reverseSigma(linear, 500, 'posterior') ** 2).toBeCloseTo(linear.posteriorVariance[500], 12);
  });
  test('is 0 at t = 0, where sqrt(beta) would still be 0.01', () => {
    expect(reverseSigma(linear, 0, 'beta')).toBe(0);
    expect(reverseSigma(linear, 0, 'posterior')).toBe(0);
  });
});

/**
 * With a linear denoiser the whole chain is linear, x_0 = a x_T + sum b_t z_t. Row 0 of this batch carries x_T = 1 and
 * no other noise, row t carries z_t = 1: the result of row r is the weight of source r, to float32 precision.
 */
describe.each(['beta', 'posterior'] as const)(
  'all 1000 steps of a linear chain, sigma^2 = %s',
  (variance) => {
    const schedule = linearSchedule();
    const slope = (t: number) => 0.6 * Math.sqrt(schedule.oneMinusAbar[t]);

    function oneSourcePerRow(row: number): Generator {
      return {
        ...createGenerator(0),
        key: [0, 0],
        fork: (...path) => oneSourcePerRow(path[0] === 'z' ? Number(path[1]) : 0),
        normal: (shape) =>
          tf.tidy(() =>
            tf
              .oneHot(tf.tensor1d([row], 'int32'), shape[0])
              .toFloat()
              .reshape(shape),
          ),
      };
    }

    test('has the weights and the variance of the recursion in float64', async () => {
      const states = await trace(ddpm, {
        denoiser: (xt, t) => xt.mul(slope(values(t)[0])) as tf.Tensor4D,
        schedule,
        shape: [1000, 1, 1, 1],
        generator: oneSourcePerRow(0),
        variance,
      });
      const images = states[states.length - 1].xt;
      let ahead = 1; // product of the factors of the steps still to come, from x_{t-1} to x_0
      let total = 0;
      for (let t = 0; t < schedule.T; t++) {
        const weight = reverseSigma(schedule, t, variance) * ahead;
        if (t > 0) expect(Math.abs(images[t] - weight)).toBeLessThan(1e-5 * Math.max(weight, 1e-3));
        total += weight ** 2;
        const c = epsMeanCoefficients(schedule, t);
        ahead *= c.xt + c.eps * slope(t);
      }
      total += ahead ** 2;
      expect(Math.abs(images[0] - ahead)).toBeLessThan(1e-5 * Math.max(ahead, 1e-3));
      const found = images.reduce((sum, weight) => sum + weight ** 2, 0);
      expect(Math.abs(found / total - 1)).toBeLessThan(1e-5);
    });
  },
);
