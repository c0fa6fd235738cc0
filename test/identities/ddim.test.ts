/** DDIM step by step: its coefficients, and one step in numbers. */
import { cosineSchedule, linearSchedule } from '../../lib/diffusion';
import { ddim, ddimCoefficients, respace } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { toy, constant, base, scripted, trace } from '../helpers/samplers';

expectNoLeaks();

describe('ddimCoefficients', () => {
  const stride = respace(toy, [3, 1]); // step 1 of this schedule goes from t = 3 to t = 1

  test('of the stride 3 -> 1 of the toy: direction 0.529150 for eta 0, not 0', () => {
    const c = ddimCoefficients(stride, 1, 0);
    expect(c.x0).toBeCloseTo(Math.sqrt(0.72), 12);
    expect(c.eps).toBeCloseTo(0.52915, 6);
    expect(c.sigma).toBe(0);
  });

  test('eta counts linearly in sigma, and as a square in the direction', () => {
    const [half, full] = [ddimCoefficients(stride, 1, 0.5), ddimCoefficients(stride, 1, 1)];
    expect(half.sigma).toBeCloseTo(0.241246, 6);
    expect(half.eps).toBeCloseTo(0.470957, 6);
    expect(full.sigma).toBeCloseTo(2 * half.sigma, 12);
  });

  test('at the end of the list abarPrev is 1: x0Hat and nothing else, for any eta', () => {
    for (const eta of [0, 0.3, 1])
      for (const schedule of [toy, stride, linearSchedule()])
        expect(ddimCoefficients(schedule, 0, eta)).toEqual({ x0: 1, eps: 0, sigma: 0 });
  });

  test('with eta 1 the noise is that of the posterior', () => {
    const sigmas = [0, 1, 2, 3].map((t) => ddimCoefficients(toy, t, 1).sigma ** 2);
    [0, 0.0714286, 0.1693548, 0.2844037].forEach((v, t) => expect(sigmas[t]).toBeCloseTo(v, 7));
    for (const schedule of [linearSchedule(), cosineSchedule()])
      for (let t = 0; t < schedule.T; t++) {
        const { sigma } = ddimCoefficients(schedule, t, 1);
        expect(Math.abs(sigma ** 2 - schedule.posteriorVariance[t])).toBeLessThan(1e-12);
      }
  });

  /**
   * The reason why one network serves all: x_t = sqrt(abar) x_0 + sqrt(1 - abar) e goes to
   * sqrt(abarPrev) x_0 + eps e + sigma z, and the two noises together must have the variance 1 - abarPrev.
   */
  test('keep the marginal of the step below for every eta, to 1e-12', () => {
    for (const schedule of [toy, stride, linearSchedule(), cosineSchedule()])
      for (const eta of [0, 0.2, 0.5, 1])
        for (let t = 0; t < schedule.T; t++) {
          const c = ddimCoefficients(schedule, t, eta);
          expect(Math.abs(c.x0 ** 2 - schedule.abarPrev[t])).toBeLessThan(1e-12);
          expect(Math.abs(c.eps ** 2 + c.sigma ** 2 - (1 - schedule.abarPrev[t]))).toBeLessThan(1e-12);
        }
  });
});

describe('one step', () => {
  test('to the end of the list returns x0Hat: x = 0.3 and eps = -0.4 at t = 0 give 0.449561', async () => {
    for (const eta of [0, 0.5, 1]) {
      const options = { ...base(), generator: scripted(0.3), denoiser: constant(-0.4), timesteps: [0], eta };
      const [state] = await trace(ddim, options);
      for (const x of state.xt) expect(x).toBeCloseTo(0.449561, 5);
      expect(state.xt).toEqual(state.x0Hat);
    }
  });

  test('to the end from any step: no abar[0] is left over', async () => {
    const options = { ...base(), generator: scripted(0.3), timesteps: [2], eta: 0.5 };
    const [state] = await trace(ddim, options);
    expect(state.tPrev).toBe(-1);
    expect(state.xt).toEqual(state.x0Hat);
  });

  test('with clipping computes eps again: 1.450451, where the old eps gives 0.319378', async () => {
    const options = { ...base(), generator: scripted(1.5), denoiser: constant(-1), timesteps: [3, 1] };
    const [clipped] = await trace(ddim, { ...options, clipDenoised: true });
    for (const x of clipped.x0Hat) expect(x).toBe(1);
    for (const x of clipped.xt) expect(x).toBeCloseTo(1.450451, 5);
    const [free] = await trace(ddim, options);
    for (const x of free.x0Hat) expect(x).toBeCloseTo(4.246565, 5);
  });

  test('is sqrt(abarPrev) x0Hat + sqrt(1 - abarPrev - sigma^2) eps + sigma z', async () => {
    const eta = 0.7;
    const states = await trace(ddim, { ...base(), generator: scripted(0.5), eta, timesteps: [3, 1, 0] });
    let x = 0.5;
    for (const { t, tPrev, xt } of states) {
      const [abar, abarPrev] = [toy.abar[t], tPrev < 0 ? 1 : toy.abar[tPrev]];
      const eps = Math.sin(0.8 * x + 0.01 * t);
      const x0 = (x - Math.sqrt(1 - abar) * eps) / Math.sqrt(abar);
      const sigma = eta * Math.sqrt(((1 - abarPrev) / (1 - abar)) * (1 - abar / abarPrev));
      x = Math.sqrt(abarPrev) * x0 + Math.sqrt(1 - abarPrev - sigma ** 2) * eps + sigma * t;
      for (const found of xt) expect(found).toBeCloseTo(x, 5);
    }
  });
});
