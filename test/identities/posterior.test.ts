/** The reverse step: two forms of its mean, Bayes' rule, and the round trip between x_0 and eps. */
import fc from 'fast-check';
import { tf } from '../../lib/engine';
import {
  Schedule,
  cosineSchedule,
  epsCoefficients,
  epsMeanCoefficients,
  forwardCoefficients,
  linearSchedule,
  posteriorCoefficients,
  posteriorMean,
  posteriorSample,
  predictEps,
  predictX0,
  qSample,
  scheduleFromBetas,
  x0Coefficients,
} from '../../lib/diffusion';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const betas = fc.array(fc.double({ min: 1e-4, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 30 });
const value = fc.double({ min: -3, max: 3, noNaN: true });

function everyStep(schedule: Schedule, check: (t: number) => void) {
  for (let t = 0; t < schedule.T; t++) check(t);
}

describe('in float64, for any betas, x_t and eps', () => {
  test('the mean in terms of x_0 and the mean in terms of eps are the same number', () => {
    fc.assert(
      fc.property(betas, value, value, (values, xt, eps) => {
        const schedule = scheduleFromBetas(values);
        everyStep(schedule, (t) => {
          const toX0 = x0Coefficients(schedule, t);
          const x0 = toX0.xt * xt + toX0.eps * eps;
          const posterior = posteriorCoefficients(schedule, t);
          const direct = epsMeanCoefficients(schedule, t);
          const scale = Math.max(1, Math.abs(posterior.x0 * x0));
          const difference = posterior.x0 * x0 + posterior.xt * xt - (direct.xt * xt + direct.eps * eps);
          expect(Math.abs(difference)).toBeLessThan(1e-12 * scale);
        });
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  test('eps -> x_0 -> eps returns', () => {
    fc.assert(
      fc.property(betas, value, value, (values, x0, eps) => {
        const schedule = scheduleFromBetas(values);
        everyStep(schedule, (t) => {
          const forward = forwardCoefficients(schedule, t);
          const xt = forward.x0 * x0 + forward.eps * eps;
          const [toX0, toEps] = [x0Coefficients(schedule, t), epsCoefficients(schedule, t)];
          expect(toEps.xt * xt + toEps.x0 * x0).toBeCloseTo(eps, 9);
          expect((toX0.xt * xt + toX0.eps * eps - x0) * Math.sqrt(schedule.abar[t])).toBeCloseTo(0, 12);
        });
      }),
      { seed: 3, numRuns: 50 },
    );
  });

  /** q(x_{t-1} | x_t, x_0) is proportional to q(x_t | x_{t-1}) q(x_{t-1} | x_0): precisions and weighted means add up. */
  test("the posterior is what Bayes' rule gives", () => {
    fc.assert(
      fc.property(betas, value, value, (values, x0, xt) => {
        const schedule = scheduleFromBetas(values);
        everyStep(schedule, (t) => {
          if (t === 0) return;
          const [alpha, beta, abarPrev] = [schedule.alphas[t], schedule.betas[t], schedule.abarPrev[t]];
          const precision = alpha / beta + 1 / (1 - abarPrev);
          const mean =
            ((Math.sqrt(alpha) / beta) * xt + (Math.sqrt(abarPrev) / (1 - abarPrev)) * x0) / precision;
          const posterior = posteriorCoefficients(schedule, t);
          expect(Math.abs(posterior.variance * precision - 1)).toBeLessThan(1e-11);
          expect(Math.abs(posterior.x0 * x0 + posterior.xt * xt - mean)).toBeLessThan(1e-11);
        });
      }),
      { seed: 4, numRuns: 50 },
    );
  });
});

test('at t = 0 the posterior is x_0 itself', () => {
  for (const schedule of [toy, linearSchedule(), cosineSchedule()]) {
    expect(posteriorCoefficients(schedule, 0)).toEqual({ x0: 1, xt: 0, variance: 0 });
  }
});

test('the variance at t = 2 of the toy schedule is 0.169355', () => {
  expect(posteriorCoefficients(toy, 2).variance).toBeCloseTo(0.169355, 6);
});

describe('on tensors, each sample at its own step', () => {
  const schedule = linearSchedule();
  const t = [0, 1, 250, 500, 999];
  const x0 = [-1, -0.5, 0.1, 0.7, 1];
  const eps = [0.4, -1.2, 2, -0.3, 0.9];

  /** Runs f on batches `[5, 1, 1, 1]` of the numbers above; returns numbers, and insists on one new tensor. */
  function run(
    f: (b: { schedule: Schedule; t: tf.Tensor1D; x0: tf.Tensor; eps: tf.Tensor; xt: tf.Tensor }) => tf.Tensor,
  ) {
    const before = tf.memory().numTensors;
    const result = tf.tidy(() => {
      const batch = (numbers: number[]) => tf.tensor4d(numbers, [5, 1, 1, 1]);
      const inputs = { schedule, t: tf.tensor1d(t, 'int32'), x0: batch(x0), eps: batch(eps) };
      const xt = qSample(inputs);
      const count = tf.memory().numTensors;
      const output = f({ ...inputs, xt });
      expect(tf.memory().numTensors).toBe(count + 1);
      expect(output.shape).toEqual([5, 1, 1, 1]);
      return Array.from(output.dataSync());
    });
    expect(tf.memory().numTensors).toBe(before);
    return result;
  }

  test('predictX0 finds the image', () => {
    run(predictX0).forEach((found, i) => {
      const amplified = 1e-6 / Math.sqrt(schedule.abar[t[i]]);
      expect(Math.abs(found - x0[i])).toBeLessThan(amplified);
    });
  });

  test('predictEps finds the noise', () => {
    run(predictEps).forEach((found, i) => {
      const amplified = 1e-6 / Math.sqrt(schedule.oneMinusAbar[t[i]]);
      expect(Math.abs(found - eps[i])).toBeLessThan(amplified);
    });
  });

  test('posteriorMean is the mean in terms of eps', () => {
    run(posteriorMean).forEach((mean, i) => {
      const forward = forwardCoefficients(schedule, t[i]);
      const direct = epsMeanCoefficients(schedule, t[i]);
      const xt = forward.x0 * x0[i] + forward.eps * eps[i];
      expect(Math.abs(mean - (direct.xt * xt + direct.eps * eps[i]))).toBeLessThan(1e-5);
    });
  });

  test('posteriorSample is the mean plus posterior noise, and x_0 itself at t = 0', () => {
    const z = [3, -1, 0.5, 2, -2];
    const draws = run((batch) =>
      tf.tidy(() => posteriorSample({ ...batch, z: tf.tensor4d(z, [5, 1, 1, 1]) })),
    );
    const means = run(posteriorMean);
    expect(draws[0]).toBe(Math.fround(x0[0]));
    draws.forEach((draw, i) => {
      const noise = Math.sqrt(schedule.posteriorVariance[t[i]]) * z[i];
      expect(Math.abs(draw - means[i] - noise)).toBeLessThan(1e-6);
    });
  });

  test('posteriorSample refuses noise of another shape', () => {
    expect(() => run((batch) => posteriorSample({ ...batch, z: tf.zeros([5]) }))).toThrow('z has shape [5]');
  });
});

/**
 * x_{t-1} ~ q(x_{t-1} | x_0), then x_t by one step, then back by the posterior: for Gaussian data all is linear, so means
 * and variances follow in closed form, without a draw.
 */
test('forward one step and back by the posterior leaves q(x_{t-1} | x_0) as it was', () => {
  for (const schedule of [toy, linearSchedule({ T: 50 }), cosineSchedule({ T: 50 })]) {
    everyStep(schedule, (t) => {
      const [x0, back] = [0.7, posteriorCoefficients(schedule, t)];
      const [abar, noise] = [schedule.abar[t], schedule.oneMinusAbar[t]];
      const mean = back.x0 * x0 + back.xt * Math.sqrt(abar) * x0;
      const variance = back.xt ** 2 * noise + back.variance;
      expect(mean).toBeCloseTo(Math.sqrt(schedule.abarPrev[t]) * x0, 12);
      expect(variance).toBeCloseTo(1 - schedule.abarPrev[t], 12);
    });
  }
});
