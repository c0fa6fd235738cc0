/** Which steps are made when fewer are made than the schedule has, and the schedule that belongs to them. */
import { linearSchedule, scheduleFromBetas } from '../../lib/diffusion';
import { Spacing, assertTimestepList, respace, spacingNames, timesteps } from '../../lib/sampling/timesteps';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const countdown = (T: number) => Array.from({ length: T }, (_, i) => T - 1 - i);

describe('timesteps', () => {
  test.each<[Spacing, number[]]>([
    ['leading', [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]],
    ['linspace', [999, 888, 777, 666, 555, 444, 333, 222, 111, 0]],
    ['trailing', [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]],
    ['quadratic', [999, 789, 604, 444, 308, 197, 111, 49, 12, 0]],
  ])('%s names these 10 of 1000', (spacing, expected) => {
    expect(timesteps({ T: 1000, steps: 10, spacing })).toEqual(expected);
  });

  test('is trailing by default: it starts from the noisiest step, which is the one that looks like x_T', () => {
    expect(timesteps({ T: 1000, steps: 4 })).toEqual([999, 749, 499, 249]);
  });

  describe.each(spacingNames)('%s', (spacing) => {
    test('names all steps when steps is T', () => {
      for (const T of [1, 2, 3, 10, 200, 1000])
        expect(timesteps({ T, steps: T, spacing })).toEqual(countdown(T));
    });

    test('names that many different steps within 0..T-1, falling, for any T and number', () => {
      for (const T of [1, 2, 3, 7, 50, 199, 200, 300])
        for (let steps = 1; steps <= T; steps++) {
          const list = timesteps({ T, steps, spacing });
          expect(list).toHaveLength(steps);
          expect(() => assertTimestepList(list, T)).not.toThrow();
        }
    });

    test('begins and ends where its line in the table says', () => {
      for (const [T, steps] of [
        [1000, 50],
        [200, 20],
        [300, 7],
      ]) {
        const list = timesteps({ T, steps, spacing });
        expect(list[0]).toBe(spacing === 'leading' ? (steps - 1) * Math.floor(T / steps) : T - 1);
        const last = Math.round(T / steps) - 1;
        expect(list[steps - 1]).toBe(spacing === 'trailing' ? last : 0);
      }
    });
  });
});

describe('respace', () => {
  test('keeps abar of the original steps, and makes the betas of the strides', () => {
    const strides = respace(toy, [3, 1]);
    expect(strides.T).toBe(2);
    expect(strides.abar[0]).toBeCloseTo(0.72, 14);
    expect(strides.abar[1]).toBeCloseTo(0.3024, 14);
    expect(strides.abarPrev[0]).toBe(1);
    expect(strides.abarPrev[1]).toBeCloseTo(0.72, 14);
    expect(strides.betas[0]).toBeCloseTo(0.28, 14);
    // alpha_eff = abar_3 / abar_1 = 0.42; the beta of step 3 alone would be 0.4.
    expect(strides.alphas[1]).toBeCloseTo(0.42, 14);
    expect(strides.betas[1]).toBeCloseTo(0.58, 14);
  });

  test('does so to 1e-11 for each spacing of a long schedule', () => {
    const schedule = linearSchedule();
    for (const spacing of spacingNames) {
      const list = timesteps({ T: 1000, steps: 37, spacing });
      const strides = respace(schedule, list);
      list.forEach((t, done) => {
        const i = list.length - 1 - done;
        expect(Math.abs(strides.abar[i] / schedule.abar[t] - 1)).toBeLessThan(1e-11);
        expect(Math.abs(strides.oneMinusAbar[i] / schedule.oneMinusAbar[t] - 1)).toBeLessThan(1e-11);
      });
    }
  });

  test('gives the schedule itself for the full list', () => {
    expect(respace(toy, [3, 2, 1, 0])).toBe(toy);
  });
});
