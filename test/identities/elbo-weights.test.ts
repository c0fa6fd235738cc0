/** From the squared error of each target to the term of the bound, in float64. */
import { cosineSchedule, linearSchedule, posteriorCoefficients } from '../../lib/diffusion';
import { diffusionVae, epsWeight, matchingTerms, optimalEps, snrWeight, targetWeights } from '../../lib/elbo';
import { klDivergence } from '../../lib/gaussian';

const schedules = [
  linearSchedule({ T: 1000 }),
  linearSchedule({ T: 300 }),
  cosineSchedule({ T: 50 }),
  linearSchedule({ T: 12, betaStart: 0.02, betaEnd: 0.4 }),
];
/** Relative, since the weights run from 1e-6 to 1e4. */
const same = (a: number, b: number) => expect(Math.abs(a / b - 1)).toBeLessThan(1e-10);

describe.each(schedules.map((schedule) => [`${schedule.name}, T = ${schedule.T}`, schedule] as const))(
  '%s',
  (_, schedule) => {
    const steps = Array.from({ length: schedule.T - 1 }, (__, i) => i + 1);
    const [x0, x0Hat] = [0.7, -0.2];

    /** The KL of the two posteriors at step t, which do not depend on x_t but by a shift. */
    const kl = (t: number) => {
      const c = posteriorCoefficients(schedule, t);
      const at = (x: number) => ({ mean: c.x0 * x, variance: c.variance });
      return klDivergence(at(x0), at(x0Hat));
    };

    test('half the fall of the SNR, times the squared error of x_0, is the KL', () => {
      for (const t of steps) same(snrWeight(schedule, t) * (x0 - x0Hat) ** 2, kl(t));
    });

    test.each(['beta', 'posterior'] as const)(
      'the four targets give one and the same term, variance %s',
      (v) => {
        for (const t of steps) {
          const w = targetWeights(schedule, t, v);
          const [abar, noise] = [schedule.abar[t], schedule.oneMinusAbar[t]];
          const error = x0 - x0Hat; // what it is for the other targets, at one x_t:
          const [ofEps, ofV] = [-Math.sqrt(abar / noise) * error, -error / Math.sqrt(noise)];
          const term = w.x0 * error ** 2;
          same(w.eps * ofEps ** 2, term);
          same(w.v * ofV ** 2, term);
          same(w.score * (ofEps / Math.sqrt(noise)) ** 2, term);
          expect(w.eps).toBe(epsWeight(schedule, t, v));
          if (v === 'posterior') same(w.x0, snrWeight(schedule, t));
        }
      },
    );

    test('L_simple is the sum of the terms, each divided by its weight', () => {
      const data = { mean: 0.4, variance: 0.3 };
      const lines = Array.from(schedule.betas, (__, t) => {
        const { slope, offset } = optimalEps(schedule, t, data);
        return { slope: 0.9 * slope, offset };
      });
      const { steps: terms } = matchingTerms(diffusionVae(schedule, lines, 'posterior'), x0);
      for (const t of steps) {
        // E (eps - slope x_t - offset)^2 for x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps.
        const { slope, offset } = lines[t];
        const bias = slope * Math.sqrt(schedule.abar[t]) * x0 + offset;
        const mse = (1 - slope * Math.sqrt(schedule.oneMinusAbar[t])) ** 2 + bias ** 2;
        expect(Math.abs(terms[t - 1] / epsWeight(schedule, t, 'posterior') - mse)).toBeLessThan(1e-10);
      }
    });
  },
);

test('what is no term of the sum is refused', () => {
  const [schedule] = schedules;
  expect(() => snrWeight(schedule, 0)).toThrow(/t is 0: .* 1..999/);
  expect(() => targetWeights(schedule, 0, 'posterior')).toThrow(/use 'beta'/);
  expect(() => targetWeights(schedule, 1000)).toThrow(/t is 1000/);
  expect(targetWeights(schedule, 0).eps).toBeGreaterThan(0);
});
