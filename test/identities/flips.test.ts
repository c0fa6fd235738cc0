/** The binomial forward process: its kernels against each other, Bayes' rule over all paths, entropy bounds. */
import { heartbeatSequences } from '../../lib/datasets';
import {
  bitEntropy,
  bitKl,
  flipEntropyBounds,
  flipMarginal,
  flipPosterior,
  flipSchedule,
  flipStep,
} from '../../lib/nonequilibrium';

const schedules = [
  flipSchedule({ T: 7 }),
  flipSchedule({ T: 7, rate: 0.2 }),
  flipSchedule({ rate: 0.7, betas: [0.1, 0.05, 0.4, 0.9] }),
];
const bits = [0, 1];

test('the schedule destroys the same share in each step, and all in the end', () => {
  const { betas, abar, abarPrev } = flipSchedule({ T: 2000 });
  expect(betas[0]).toBe(1 / 2000);
  expect(betas[1999]).toBe(1);
  abar.forEach((left, t) => {
    expect(Math.abs(left - (1999 - t) / 2000)).toBeLessThan(1e-12);
    expect(Math.abs(abarPrev[t] - left - 1 / 2000)).toBeLessThan(1e-12);
  });
});

test.each(schedules)('steps one after the other make the marginal', (schedule) => {
  for (const x0 of bits) {
    let one = x0;
    for (let t = 0; t < schedule.T; t++) {
      one = flipStep(schedule, one, t);
      expect(Math.abs(one - flipMarginal(schedule, x0, t))).toBeLessThan(1e-14);
    }
  }
});

/** The probability of each pair (x_{t-1}, x_t) given x_0, from paths of single steps alone. */
function pairs(schedule: (typeof schedules)[number], x0: number, t: number): number[][] {
  let before = x0;
  for (let s = 0; s < t; s++) before = flipStep(schedule, before, s);
  return bits.map((a) =>
    bits.map((b) => {
      const after = flipStep(schedule, a, t);
      return (a ? before : 1 - before) * (b ? after : 1 - after);
    }),
  );
}

test.each(schedules)('the posterior is the share of the paths', (schedule) => {
  for (let t = 0; t < schedule.T; t++) {
    for (const x0 of bits) {
      const joint = pairs(schedule, x0, t);
      for (const xt of bits) {
        const share = joint[1][xt] / (joint[0][xt] + joint[1][xt]);
        expect(Math.abs(flipPosterior(schedule, { x0, xt, t }) - share)).toBeLessThan(1e-14);
      }
    }
  }
});

test('entropy and divergence of a bit', () => {
  expect(bitEntropy(0.5)).toBe(1);
  expect([bitEntropy(0), bitEntropy(1)]).toEqual([0, 0]);
  expect(20 * bitEntropy(0.2)).toBeCloseTo(14.438562, 6);
  expect(bitKl(0.3, 0.3)).toBe(0);
  expect(bitKl(1, 0.25)).toBe(2);
  expect(bitKl(0.5, 0)).toBe(Infinity);
  expect(bitKl(0.1, 0.4)).toBeCloseTo(0.1 * Math.log2(1 / 4) + 0.9 * Math.log2(1.5), 14);
});

describe('entropy bounds of a step back', () => {
  const entropy = (law: number[]): number => law.reduce((sum, p) => sum + (p > 0 ? -p * Math.log2(p) : 0), 0);

  test.each([0.05, 0.3, 0.5])(
    'hold for a bit that is 1 with probability %f, and are tight at its ends',
    (share) => {
      const schedule = flipSchedule({ T: 9, rate: 0.5 });
      for (let t = 0; t < 9; t++) {
        // H(X_{t-1} | X_t) = H(X_{t-1}, X_t) - H(X_t), by listing.
        const [a, b] = [pairs(schedule, 0, t), pairs(schedule, 1, t)];
        const joint = bits.map((i) => bits.map((j) => (1 - share) * a[i][j] + share * b[i][j]));
        const after = bits.map((j) => joint[0][j] + joint[1][j]);
        const truth = entropy(joint.flat()) - entropy(after);
        const { lower, upper } = flipEntropyBounds({ schedule, t, ones: [share] });
        expect(lower).toBeLessThan(truth + 1e-12);
        expect(upper).toBeGreaterThan(truth - 1e-12);
        // A fair bit is as uncertain before a step as after it; then the upper bound is the truth.
        if (share === 0.5) expect(Math.abs(upper - truth)).toBeLessThan(1e-12);
        else expect(upper - truth).toBeGreaterThan(1e-4);
      }
    },
  );

  test('the lower one is the entropy of the posterior that knows x_0; bits add up', () => {
    const schedule = flipSchedule({ T: 6, rate: 0.2 });
    const ones = [0.2, 0.9];
    for (let t = 1; t < 6; t++) {
      const known = ones.map((share) =>
        bits.reduce((sum, x0) => {
          const joint = pairs(schedule, x0, t);
          const after = bits.map((j) => joint[0][j] + joint[1][j]);
          return sum + (x0 ? share : 1 - share) * (entropy(joint.flat()) - entropy(after));
        }, 0),
      );
      const { lower } = flipEntropyBounds({ schedule, t, ones });
      expect(Math.abs(lower - known[0] - known[1])).toBeLessThan(1e-12);
    }
  });
});

test('the heartbeat has one sequence for each phase, and a pulse every period', () => {
  expect(heartbeatSequences({ bits: 8, period: 4 })).toEqual([
    [1, 0, 0, 0, 1, 0, 0, 0],
    [0, 1, 0, 0, 0, 1, 0, 0],
    [0, 0, 1, 0, 0, 0, 1, 0],
    [0, 0, 0, 1, 0, 0, 0, 1],
  ]);
  const all = heartbeatSequences();
  expect([all.length, all[0].length]).toEqual([5, 20]);
  expect(all.flat().reduce((a, b) => a + b, 0) / 100).toBe(0.2);
});
