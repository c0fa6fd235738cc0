/**
 * The sampler with a perfect denoiser. For x_0 ~ N(mu, s^2) the best guess of the noise is known in closed form,
 * `eps*(x_t, t) = sqrt(1 - abar_t) (x_t - sqrt(abar_t) mu) / (abar_t s^2 + 1 - abar_t)`,
 * and every x_t of the reverse chain is Gaussian, so that the sampler's own mean and standard deviation follow exactly
 * from a recursion in float64.
 */
import { createGenerator, tf } from '../../lib/engine';
import { Denoiser, Schedule, epsMeanCoefficients, linearSchedule } from '../../lib/diffusion';
import { ReverseVariance, ddpm, reverseSigma } from '../../lib/sampling';

const mu = 0.3;
const s = 0.2;

/** `eps* = slope x_t + offset` at step t. */
function optimum(schedule: Schedule, t: number) {
  const [abar, oneMinusAbar] = [schedule.abar[t], schedule.oneMinusAbar[t]];
  const slope = Math.sqrt(oneMinusAbar) / (abar * s * s + oneMinusAbar);
  return { slope, offset: -slope * Math.sqrt(abar) * mu };
}

function oracle(schedule: Schedule): Denoiser {
  return (xt, t) => {
    const { slope, offset } = optimum(schedule, t.dataSync()[0]);
    return xt.mul(slope).add(offset) as tf.Tensor4D;
  };
}

/** Mean and standard deviation of what the chain ends with, in float64. */
function propagate(schedule: Schedule, variance: ReverseVariance) {
  let [mean, square] = [0, 1];
  for (let t = schedule.T - 1; t >= 0; t--) {
    const c = epsMeanCoefficients(schedule, t);
    const { slope, offset } = optimum(schedule, t);
    mean = (c.xt + c.eps * slope) * mean + c.eps * offset;
    square = (c.xt + c.eps * slope) ** 2 * square + reverseSigma(schedule, t, variance) ** 2;
  }
  return { mean, std: Math.sqrt(square) };
}

async function measure(schedule: Schedule, variance: ReverseVariance, count: number) {
  const chain = ddpm({
    denoiser: oracle(schedule),
    schedule,
    shape: [count, 1, 1, 1],
    generator: createGenerator(5),
    variance,
  });
  for await (const { t, xt } of chain) {
    if (t > 0) continue;
    return tf.tidy(() => {
      const { mean, variance: square } = tf.moments(xt);
      return { mean: mean.dataSync()[0], std: Math.sqrt(square.dataSync()[0]) };
    });
  }
  throw new Error('the chain never reached t = 0');
}

describe('1000 linear steps', () => {
  const schedule = linearSchedule();
  const N = 10_000;

  test('end within 2 % of N(0.3, 0.2^2) in theory: std 0.2009 with beta, 0.1963 with posterior', () => {
    const beta = propagate(schedule, 'beta');
    expect(beta.mean).toBeCloseTo(mu, 5);
    expect(beta.std).toBeCloseTo(0.2009, 4);
    const posterior = propagate(schedule, 'posterior');
    expect(posterior.std).toBeCloseTo(0.1963, 4);
  });

  test.each(['beta', 'posterior'] as const)(
    'give that mean and std when run on tensors, sigma^2 = %s',
    async (v) => {
      const before = tf.memory().numTensors;
      const [found, exact] = [await measure(schedule, v, N), propagate(schedule, v)];
      expect(tf.memory().numTensors).toBe(before);
      const standardError = exact.std / Math.sqrt(N);
      expect(Math.abs(found.mean - exact.mean)).toBeLessThan(4 * standardError);
      expect(Math.abs(found.std - exact.std)).toBeLessThan((4 * standardError) / Math.SQRT2);
    },
  );
});

/** Few and large steps: the two variances now bracket the truth clearly, and the tensors must tell them apart. */
test('20 steps that reach the noise: too wide with beta, too narrow with the posterior variance', async () => {
  const N = 100_000;
  const schedule = linearSchedule({ T: 20, betaStart: 0.005, betaEnd: 0.6 });
  const [beta, posterior] = [propagate(schedule, 'beta'), propagate(schedule, 'posterior')];
  expect(beta.std).toBeGreaterThan(1.02 * s);
  expect(posterior.std).toBeLessThan(0.98 * s);
  for (const [variance, exact] of [
    ['beta', beta],
    ['posterior', posterior],
  ] as const) {
    const found = await measure(schedule, variance, N);
    expect(Math.abs(found.std / exact.std - 1)).toBeLessThan(4 / Math.sqrt(2 * N));
    expect(Math.abs(found.mean - exact.mean)).toBeLessThan((4 * exact.std) / Math.sqrt(N));
  }
});
