/** Schedule tables against closed form and against the values that others got wrong. */
import fc from 'fast-check';
import {
  Schedule,
  cosineSchedule,
  linearSchedule,
  priorBits,
  scheduleFromBetas,
  signalLeft,
} from '../../lib/diffusion';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const linear = linearSchedule();

function expectAll(actual: ArrayLike<number>, expected: number[], tolerance: number) {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual[i] - value)).toBeLessThanOrEqual(tolerance));
}

function tables(schedule: Schedule): [string, Float64Array][] {
  return Object.entries(schedule).filter((entry): entry is [string, Float64Array] =>
    ArrayBuffer.isView(entry[1]),
  );
}

describe('the toy schedule', () => {
  test('has the tables that the formulas give by hand', () => {
    expect(toy.T).toBe(4);
    expect(toy.name).toBe('toy');
    expectAll(toy.alphas, [0.9, 0.8, 0.7, 0.6], 1e-15);
    expectAll(toy.abar, [0.9, 0.72, 0.504, 0.3024], 1e-15);
    expectAll(toy.oneMinusAbar, [0.1, 0.28, 0.496, 0.6976], 1e-15);
    expectAll(toy.snr, [9, 0.72 / 0.28, 0.504 / 0.496, 0.3024 / 0.6976], 1e-12);
  });

  test('starts abarPrev with 1: nothing has been added before the first step', () => {
    expectAll(toy.abarPrev, [1, 0.9, 0.72, 0.504], 1e-15);
  });

  test('has the posterior variances of DDPM', () => {
    expectAll(toy.posteriorVariance, [0, 0.0714286, 0.1693548, 0.2844037], 5e-8);
  });

  test('copies the betas it is given and cannot be changed field by field', () => {
    const betas = [0.1, 0.2];
    const schedule = scheduleFromBetas(betas);
    betas[0] = 0.9;
    expect(schedule.betas[0]).toBe(0.1);
    expect(() => Object.assign(schedule, { T: 3 })).toThrow(TypeError);
  });
});

describe('the linear schedule of 1000 steps', () => {
  test('runs from 1e-4 to 0.02', () => {
    expect(linear.T).toBe(1000);
    expect(linear.betas[0]).toBe(1e-4);
    expect(linear.betas[999]).toBeCloseTo(0.02, 15);
    expect(linear.betas[500]).toBeCloseTo(1e-4 + (0.0199 * 500) / 999, 15);
  });

  test('has a posterior variance of 0 at t = 0 and a finite log variance', () => {
    expect(linear.posteriorVariance[0]).toBe(0);
    expect(linear.posteriorLogVarianceClipped[0]).toBe(Math.log(linear.posteriorVariance[1]));
    expect(linear.posteriorLogVarianceClipped[0]).toBeCloseTo(-9.816725, 6);
  });

  test('keeps log variance and variance apart: std = exp(logVariance / 2)', () => {
    for (let t = 1; t < 1000; t++) {
      const std = Math.exp(0.5 * linear.posteriorLogVarianceClipped[t]);
      expect(Math.abs(std / Math.sqrt(linear.posteriorVariance[t]) - 1)).toBeLessThan(1e-12);
    }
    expect(Math.sqrt(linear.betas[500])).toBeCloseTo(0.100299, 6);
  });

  test.each([
    [0, 0],
    [1, 0.454736],
    [500, 0.999143],
    [999, 0.999999],
  ])('has posterior variance / beta at t = %i of %f', (t, ratio) => {
    expect(linear.posteriorVariance[t] / linear.betas[t]).toBeCloseTo(ratio, 6);
  });

  test('has an SNR of 1.101217 at t = 249', () => expect(linear.snr[249]).toBeCloseTo(1.101217, 6));
});

describe('what is left at the last step', () => {
  test.each([
    [100, 0.363563],
    [200, 0.132183],
    [250, 0.079703],
    [300, 0.048058],
    [500, 0.006353],
    [1000, 4.0358e-5],
  ])('linear, T = %i: abar = %f', (T, abar) => {
    expect(Math.abs(linearSchedule({ T }).abar[T - 1] / abar - 1)).toBeLessThan(1e-4);
  });

  test('the schedule of the notes is 26 bits an image from pure noise; 1000 steps are 0.02 bits away', () => {
    expect(priorBits(linearSchedule({ T: 300 }))).toBeCloseTo(25.8, 1);
    expect(priorBits(linear)).toBeCloseTo(0.021, 3);
  });

  test('prior bits are the KL divergence of two Gaussians, summed over the pixels of an image', () => {
    const x0 = [-1, -0.3, 0.2, 0.9, 1];
    const mean = x0.map((x) => Math.sqrt(toy.abar[3]) * x);
    const variance = 1 - toy.abar[3];
    const kl = mean.reduce((sum, m) => sum + 0.5 * (variance + m * m - 1 - Math.log(variance)), 0);
    const meanSquare = x0.reduce((sum, x) => sum + x * x, 0) / 5;
    expect(priorBits(toy, { meanSquare, dims: 5 })).toBeCloseTo(kl / Math.LN2, 12);
  });

  test('signalLeft warns of more than 1 %, with the numbers, and is silent otherwise', () => {
    expect(signalLeft(linearSchedule({ T: 300 }))).toMatch(/linear.*T = 300.*4\.8 %.*26 bits/);
    expect(signalLeft(linearSchedule({ T: 100 }))).toMatch(/36 %.* 240 bits/);
    expect(signalLeft(scheduleFromBetas([0.001]))).toMatch(/100 %.* \d{4} bits/);
    expect(signalLeft(linearSchedule({ T: 500 }))).toBeUndefined();
    expect(signalLeft(linear)).toBeUndefined();
    expect(signalLeft(cosineSchedule({ T: 100 }))).toBeUndefined();
  });
});

describe('logSnr', () => {
  test('is the log of snr, and of 1.101217 at t = 249 of the linear schedule', () => {
    expect(linear.logSnr[249]).toBeCloseTo(Math.log(1.101217), 6);
    linear.logSnr.forEach((value, t) =>
      expect(Math.abs(value - Math.log(linear.snr[t]))).toBeLessThan(1e-13),
    );
  });

  test('keeps its digits where 1 - abar is tiny and where abar is', () => {
    const early = scheduleFromBetas([1e-12, 1e-12]);
    expect(Math.abs(early.logSnr[1] + Math.log(2e-12))).toBeLessThan(1e-11);
    const late = scheduleFromBetas(new Array<number>(60).fill(0.9));
    expect(Math.abs(late.logSnr[59] - 60 * Math.log(0.1))).toBeLessThan(1e-12);
  });
});

test('bits an image: KL of N(1, 1 - abar) from N(0, 1) tends to half a nat, 0.721348 bits, as its noise tends to 1', () => {
  // meanSquare 1/abar makes the mean of x_T equal to 1; the variance 1 - abar is then the only other part.
  const s = scheduleFromBetas(new Array<number>(12).fill(0.9));
  expect(priorBits(s, { meanSquare: 1 / s.abar[11], dims: 1 })).toBeCloseTo(0.721348, 6);
});

describe('the cosine schedule', () => {
  const f = (u: number) => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2;

  test.each([250, 1000])('is the squared cosine, T = %i, however its grid is written', (T) => {
    const { abar } = cosineSchedule({ T });
    const points = T + 1;
    for (let t = 0; t < T - 1; t++) {
      const otherGrid = ((t + 1) * (points / (points - 1))) / points; // linspace(0, points, points) / points
      expect(Math.abs(abar[t] - f((t + 1) / T) / f(0))).toBeLessThan(1e-12);
      expect(Math.abs(abar[t] - f(otherGrid) / f(0))).toBeLessThan(1e-12);
    }
  });

  test('drops the entry f(0): there is noise at t = 0 and every table is finite', () => {
    for (const T of [1, 2, 250]) {
      const schedule = cosineSchedule({ T });
      expect(schedule.oneMinusAbar[0]).toBeGreaterThan(0);
      expect(tables(schedule).length).toBe(9);
      for (const [, table] of tables(schedule)) expect(Array.from(table).every(Number.isFinite)).toBe(true);
    }
  });

  test('cuts only the last beta, and still amplifies x_T by 20,291', () => {
    const { abar, betas } = cosineSchedule();
    expect(Array.from(betas).filter((beta) => beta === 0.999)).toHaveLength(1);
    expect(betas[999]).toBe(0.999);
    expect(Math.abs(abar[999] / 2.42877e-9 - 1)).toBeLessThan(1e-5);
    expect(Math.round(1 / Math.sqrt(abar[999]))).toBe(20291);
  });
});

describe('any valid betas', () => {
  const betas = fc.array(fc.double({ min: 1e-6, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 100 });

  test('give tables that keep to the identities', () => {
    fc.assert(
      fc.property(betas, (values) => {
        const s = scheduleFromBetas(values);
        for (const [, table] of tables(s)) {
          expect(table.length).toBe(values.length);
          expect(Array.from(table).every(Number.isFinite)).toBe(true);
        }
        for (let t = 0; t < s.T; t++) {
          expect(s.abarPrev[t]).toBe(t === 0 ? 1 : s.abar[t - 1]);
          expect(s.abar[t]).toBeLessThan(s.abarPrev[t]);
          expect(Math.abs(s.abar[t] + s.oneMinusAbar[t] - 1)).toBeLessThan(1e-13);
          expect(s.posteriorVariance[t]).toBeLessThanOrEqual(s.betas[t] * (1 + 1e-15));
          expect(s.posteriorVariance[t] > 0).toBe(t > 0);
          if (t > 0) expect(s.snr[t]).toBeLessThan(s.snr[t - 1]);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('keep all digits of 1 - abar where it is tiny', () => {
    const s = scheduleFromBetas([1e-12, 1e-12, 1e-12]);
    expect(Math.abs(s.oneMinusAbar[2] / 3e-12 - 1)).toBeLessThan(1e-11);
  });
});
