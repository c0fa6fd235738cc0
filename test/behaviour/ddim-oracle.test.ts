/**
 * Few steps with a perfect denoiser. For x_0 ~ N(mu, s^2) the best guess of the noise is linear in x_t, so what the
 * sampler ends with is Gaussian, and its mean and standard deviation follow from a recursion in float64.
 */
import { createGenerator, tf } from '../../lib/engine';
import { Denoiser, Schedule, linearSchedule, x0Coefficients } from '../../lib/diffusion';
import { Spacing, ddimCoefficients, respace, sample, timesteps } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';

const mu = 0.3;
const s = 0.2;
const schedule = linearSchedule();

/** `eps* = slope x_t + offset` at step t. */
function optimum({ abar, oneMinusAbar }: Schedule, t: number) {
  const slope = Math.sqrt(oneMinusAbar[t]) / (abar[t] * s * s + oneMinusAbar[t]);
  return { slope, offset: -slope * Math.sqrt(abar[t]) * mu };
}

const oracle: Denoiser = (xt, t) => {
  const { slope, offset } = optimum(schedule, t.dataSync()[0]);
  return xt.mul(slope).add(offset);
};

/** Mean and standard deviation of what the chain ends with, in float64. */
function propagate(list: number[], eta: number) {
  const strides = respace(schedule, list);
  let [mean, square] = [0, 1];
  list.forEach((t, done) => {
    const i = list.length - 1 - done;
    const [c, toX0, { slope, offset }] = [
      ddimCoefficients(strides, i, eta),
      x0Coefficients(strides, i),
      optimum(schedule, t),
    ];
    const eps = c.x0 * toX0.eps + c.eps; // the weight of epsHat, once x0Hat is written with it
    const gain = c.x0 * toX0.xt + eps * slope;
    mean = gain * mean + eps * offset;
    square = gain ** 2 * square + c.sigma ** 2;
  });
  return { mean, std: Math.sqrt(square) };
}

expectNoLeaks();

describe('20 of 1000 steps', () => {
  const list = (spacing: Spacing) => timesteps({ T: 1000, steps: 20, spacing });

  /**
   * The mean arrives, whichever steps; the standard deviation (the truth is 1) comes out too small, because x0Hat is a
   * mean and a long stride towards it undershoots. Dense steps near t = 0 cost least.
   */
  test.each<[Spacing, number]>([
    ['leading', 0.7254],
    ['linspace', 0.7118],
    ['trailing', 0.7007],
    ['quadratic', 0.8942],
  ])('without fresh noise have the right mean, and a standard deviation that is %s: %d', (spacing, share) => {
    const { mean, std } = propagate(list(spacing), 0);
    expect(Math.abs(mean - mu)).toBeLessThan(0.0005);
    expect(std / s).toBeCloseTo(share, 4);
  });

  test.each([0, 0.5, 1])('have the mean and std of theory when run on tensors, eta = %p', async (eta) => {
    const N = 40_000;
    const exact = propagate(list('trailing'), eta);
    const points = await sample({
      sampler: 'ddim',
      denoiser: oracle,
      schedule,
      shape: [N, 1],
      generator: createGenerator(5),
      timesteps: list('trailing'),
      eta,
    });
    const found = tf.tidy(() => {
      const { mean, variance } = tf.moments(points);
      return { mean: mean.dataSync()[0], std: Math.sqrt(variance.dataSync()[0]) };
    });
    points.dispose();
    const standardError = exact.std / Math.sqrt(N);
    expect(Math.abs(found.mean - exact.mean)).toBeLessThan(4 * standardError);
    expect(Math.abs(found.std - exact.std)).toBeLessThan((4 * standardError) / Math.SQRT2);
  });
});

test('all 1000 steps without fresh noise end within 1 % of the truth', () => {
  const { mean, std } = propagate(timesteps({ T: 1000, steps: 1000 }), 0);
  expect(Math.abs(mean - mu)).toBeLessThan(0.0005);
  expect(Math.abs(std / s - 1)).toBeLessThan(0.01);
});
