/** The named schedules against values computed apart from the library, and their configs. */
import {
  Schedule,
  ScheduleConfig,
  constantSchedule,
  cosineSchedule,
  createSchedule,
  linearSchedule,
  logSnrSchedule,
  quadraticSchedule,
  scheduleFromBetas,
  sigmoidSchedule,
  signalLeft,
} from '../../lib/diffusion';
import { epsWeight } from '../../lib/elbo';

describe('linear betas scaled by 1000 / T', () => {
  test('leave the same share of noise for any T: log abar to a per cent, where plain ones leave 4.8 %', () => {
    // Reference values of the same products, computed apart from the library.
    for (const [T, abar] of [
      [50, 7.744766e-6],
      [100, 2.039009e-5],
      [300, 3.4261465e-5],
      [1000, 4.0358298e-5],
    ]) {
      const schedule = linearSchedule({ T, rescale: true });
      expect(Math.abs(schedule.abar[T - 1] / abar - 1)).toBeLessThan(1e-6);
      expect(schedule.betas[T - 1]).toBeCloseTo(20 / T, 14);
      expect(signalLeft(schedule)).toBeUndefined();
    }
  });

  test('change nothing at T = 1000', () => {
    expect(Array.from(linearSchedule({ rescale: true }).betas)).toEqual(Array.from(linearSchedule().betas));
  });
});

describe('the other families', () => {
  test('quadratic: square roots in equal steps, the values of latent diffusion', () => {
    const { betas, abar } = quadraticSchedule({ betaStart: 0.00085, betaEnd: 0.012 });
    expect(abar[999]).toBeCloseTo(0.0046601, 7);
    expect(Math.sqrt(abar[999])).toBeCloseTo(0.068265, 6);
    const step = (Math.sqrt(0.012) - Math.sqrt(0.00085)) / 999;
    for (let t = 1; t < 1000; t++)
      expect(Math.abs(Math.sqrt(betas[t]) - Math.sqrt(betas[t - 1]) - step)).toBeLessThan(1e-14);
  });

  test('sigmoid: the logistic function over -6..6, symmetric about its middle', () => {
    const { betas, abar } = sigmoidSchedule();
    expect(betas[0]).toBeCloseTo(1e-4 + 0.0199 / (1 + Math.exp(6)), 16);
    expect(betas[999]).toBeCloseTo(0.0199507948, 10);
    for (let t = 0; t < 500; t++) expect(Math.abs(betas[t] + betas[999 - t] - 0.0201)).toBeLessThan(1e-15);
    expect(abar[499]).toBeCloseTo(0.301931057, 8);
    expect(Math.abs(abar[999] / 3.96818e-5 - 1)).toBeLessThan(1e-5);
  });

  test('constant: abar is a power', () => {
    const { abar } = constantSchedule();
    for (const t of [0, 10, 999]) expect(Math.abs(abar[t] / 0.99 ** (t + 1) - 1)).toBeLessThan(1e-12);
    expect(Math.abs(abar[999] / 4.317125e-5 - 1)).toBeLessThan(1e-6);
  });

  test('log-SNR: falls in equal steps between its ends, and every step weighs the same in the bound', () => {
    const { abar, logSnr } = logSnrSchedule();
    expect(logSnr[0]).toBeCloseTo(13.3, 9);
    expect(Math.sqrt(1 - abar[0])).toBeCloseTo(0.0012938, 6);
    for (let t = 0; t < 1000; t++) expect(Math.abs(logSnr[t] - (13.3 - (18.3 * t) / 999))).toBeLessThan(1e-9);
    const weights = Array.from({ length: 999 }, (_, i) => epsWeight(logSnrSchedule(), i + 1, 'posterior'));
    // 1/2 expm1 of a step of the log-SNR (2107.00630, eq. 14 written for eps).
    for (const weight of weights)
      expect(Math.abs(weight / (Math.expm1(18.3 / 999) / 2) - 1)).toBeLessThan(1e-9);
  });

  test.each([linearSchedule, quadraticSchedule, sigmoidSchedule])('%p may have a single step', (family) => {
    const { T, betas } = family({ T: 1, betaStart: 0.1, betaEnd: 0.2 });
    expect(T).toBe(1);
    expect(betas[0]).toBeLessThan(0.2);
  });
});

describe('createSchedule', () => {
  const ends = { T: 40, betaStart: 1e-3, betaEnd: 0.1 };
  test.each<[ScheduleConfig, Schedule]>([
    [{ kind: 'linear', ...ends }, linearSchedule(ends)],
    [
      { kind: 'linear', T: 50, betaStart: 1e-4, betaEnd: 0.02, rescale: true },
      linearSchedule({ T: 50, rescale: true }),
    ],
    [{ kind: 'cosine', T: 40 }, cosineSchedule({ T: 40 })],
    [{ kind: 'cosine', T: 40, s: 0.01, maxBeta: 0.9 }, cosineSchedule({ T: 40, s: 0.01, maxBeta: 0.9 })],
    [{ kind: 'quadratic', ...ends }, quadraticSchedule(ends)],
    [{ kind: 'sigmoid', ...ends }, sigmoidSchedule(ends)],
    [{ kind: 'constant', T: 40, beta: 0.1 }, constantSchedule({ T: 40, beta: 0.1 })],
    [{ kind: 'logSnr', T: 40 }, logSnrSchedule({ T: 40 })],
    [
      { kind: 'logSnr', T: 40, logSnrStart: 9, logSnrEnd: -4 },
      logSnrSchedule({ T: 40, logSnrStart: 9, logSnrEnd: -4 }),
    ],
    [{ kind: 'custom', T: 2, betas: [0.3, 0.1] }, scheduleFromBetas([0.3, 0.1])],
  ])('%j survives JSON and makes the tables of its family', (config, expected) => {
    const made = createSchedule(JSON.parse(JSON.stringify(config)) as ScheduleConfig);
    expect(made.name).toBe(config.kind);
    for (const table of ['betas', 'abar', 'posteriorVariance', 'logSnr'] as const)
      expect(Array.from(made[table])).toEqual(Array.from(expected[table]));
  });
});
