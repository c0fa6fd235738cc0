/** The oracles on float64 numbers: density, score and best guesses against integrals, slopes and each other. */
import {
  cosineSchedule,
  epsCoefficients,
  epsFromVCoefficients,
  linearSchedule,
  scoreCoefficient,
  vFromEpsCoefficients,
  x0Coefficients,
  x0FromScoreCoefficients,
  x0FromVCoefficients,
} from '../../lib/diffusion';
import { optimalEps } from '../../lib/elbo';
import { conditionalOf, logDensity, type FullGaussian } from '../../lib/gaussian';
import { empiricalOracle, gaussianOracle, mixtureLogDensity, mixtureOracle } from '../../lib/oracle';
import { near } from '../helpers/gaussians';
import { oracles } from '../helpers/oracles';

const schedule = linearSchedule({ T: 100, rescale: true });
const steps = [0, 3, 40, 99];
/** Some points in any dimension, none of them at a mode. */
const points = (dims: number) =>
  [0.2, -0.9, 1.7].map((x) => Array.from({ length: dims }, (_, i) => x - 0.35 * i));

describe.each(oracles)('%s', (_, oracle) => {
  const each = (check: (t: number, xt: number[], found: ReturnType<typeof oracle.at>) => void) => {
    for (const t of steps) for (const xt of points(oracle.dims)) check(t, xt, oracle.at({ schedule, xt, t }));
  };

  test('the score is the slope of the log-density', () =>
    each((t, xt, { score }) => {
      const h = 1e-3 * Math.sqrt(schedule.oneMinusAbar[t]);
      xt.forEach((x, i) => {
        const at = (y: number) =>
          oracle.at({ schedule, t, xt: xt.map((own, j) => (j === i ? y : own)) }).logDensity;
        // Of fourth order: what is left is rounding.
        const slope = (8 * (at(x + h) - at(x - h)) - (at(x + 2 * h) - at(x - 2 * h))) / (12 * h);
        expect(Math.abs(score[i] - slope)).toBeLessThan(1e-7 * (1 + Math.abs(slope)));
      });
    }));

  test("Tweedie's formula: x0 is (x_t + (1 - abar) score) / sqrt(abar)", () =>
    each((t, xt, { score, x0 }) => {
      const c = x0FromScoreCoefficients(schedule, t);
      near(c.score / c.xt, schedule.oneMinusAbar[t]);
      xt.forEach((x, i) => near(x0[i], c.xt * x + c.score * score[i]));
    }));

  test('x0, eps, v and score say the same by the conversions of lib/diffusion', () =>
    each((t, xt, { x0, eps, v, score }) => {
      const [toX0, toEps, toV] = [x0Coefficients, epsCoefficients, vFromEpsCoefficients].map((f) =>
        f(schedule, t),
      ) as [{ xt: number; eps: number }, { xt: number; x0: number }, { xt: number; eps: number }];
      const [vToEps, vToX0] = [epsFromVCoefficients(schedule, t), x0FromVCoefficients(schedule, t)];
      xt.forEach((x, i) => {
        near(toX0.xt * x + toX0.eps * eps[i], x0[i]);
        near(toEps.xt * x + toEps.x0 * x0[i], eps[i]);
        near(toV.xt * x + toV.eps * eps[i], v[i]);
        near(vToEps.xt * x + vToEps.v * v[i], eps[i]);
        near(vToX0.xt * x + vToX0.v * v[i], x0[i]);
        near(scoreCoefficient(schedule, t) * eps[i], score[i], 1e-10 * (1 + Math.abs(score[i])));
      });
    }));

  test('the shares of the components add up to 1', () =>
    each((_t, _xt, { shares }) =>
      near(
        shares.reduce((sum, share) => sum + share, 0),
        1,
        1e-13,
      ),
    ));
});

test('any data: E[x_0 | x_t] and q(x_t) are the integrals over x_0', () => {
  const mixture = { weights: [0.3, 0.7], means: [[-1.5], [1]], std: 0.4 };
  const oracle = mixtureOracle(mixture);
  const dx = 0.002;
  for (const t of steps)
    for (const x of [-1.3, 0, 0.8]) {
      const noise = { variance: schedule.oneMinusAbar[t] };
      const moments = [0, 0];
      for (let x0 = -8; x0 <= 8; x0 += dx) {
        const mean = Math.sqrt(schedule.abar[t]) * x0;
        const p = Math.exp(mixtureLogDensity(mixture, [x0]) + logDensity(x, { mean, ...noise })) * dx;
        moments.forEach((_, power) => (moments[power] += p * x0 ** power));
      }
      const found = oracle.at({ schedule, xt: [x], t });
      near(found.logDensity, Math.log(moments[0]));
      near(found.x0[0], moments[1] / moments[0]);
    }
});

describe('one Gaussian', () => {
  const data: FullGaussian = { mean: [1, -0.5], covariance: [[0.5, 0.3], [0.3, 0.4]] }; // prettier-ignore
  const oracle = gaussianOracle(data);

  test('x_t has its density, and x_0 is the conditional of the pair (x_0, x_t)', () => {
    for (const t of steps)
      for (const xt of points(2)) {
        const [abar, noise] = [schedule.abar[t], schedule.oneMinusAbar[t]];
        const scaled = (factor: number) => data.covariance.map((row) => row.map((value) => factor * value));
        const [same, cross, noisy] = [scaled(1), scaled(Math.sqrt(abar)), scaled(abar)];
        noisy.forEach((row, i) => (row[i] += noise));
        const mean = data.mean.map((m) => Math.sqrt(abar) * m);
        const found = oracle.at({ schedule, xt, t });
        near(found.logDensity, logDensity(xt, { mean, covariance: noisy }));
        const joint = {
          mean: [...data.mean, ...mean],
          covariance: [0, 1, 2, 3].map((i) =>
            i < 2 ? [...same[i], ...cross[i]] : [...cross[i - 2], ...noisy[i - 2]],
          ),
        };
        const back = conditionalOf(joint, { axes: [2, 3], values: xt });
        found.x0.forEach((value, i) => near(value, back.mean[i]));
      }
  });

  test('of one number: eps is the line of elbo/diffusion.ts', () => {
    const one = { mean: 0.4, variance: 0.3 };
    for (const t of steps) {
      const { slope, offset } = optimalEps(schedule, t, one);
      for (const x of [-1, 0.3, 2])
        near(gaussianOracle(one).at({ schedule, xt: [x], t }).eps[0], slope * x + offset);
    }
  });

  test('is the mixture with one component, and the mixture of two equal ones', () => {
    const { mean, covariance } = data;
    const again = [
      mixtureOracle({ weights: [1], means: [[...mean]], covariances: [covariance] }),
      mixtureOracle({
        weights: [0.3, 0.7],
        means: [[...mean], [...mean]],
        covariances: [covariance, covariance],
      }),
    ];
    const { shares: _shares, ...expected } = oracle.at({ schedule, xt: [0.2, 1], t: 40 });
    for (const other of again) {
      const found = other.at({ schedule, xt: [0.2, 1], t: 40 });
      near(found.logDensity, expected.logDensity);
      for (const name of ['x0', 'eps', 'v', 'score'] as const)
        found[name].forEach((value, i) => near(value, expected[name][i]));
    }
  });
});

test('a round mixture is the one whose covariances are std^2 on the diagonal', () => {
  const [weights, means] = [[0.3, 0.7], [[1, 0], [-1, 0.5]]]; // prettier-ignore
  const covariance = [[0.09, 0], [0, 0.09]]; // prettier-ignore
  const round = mixtureOracle({ weights, means, std: 0.3 });
  const full = mixtureOracle({ weights, means, covariances: [covariance, covariance] });
  for (const t of steps) {
    const [a, b] = [round, full].map((oracle) => oracle.at({ schedule, xt: [0.2, 0.4], t }));
    near(a.logDensity, b.logDensity);
    a.eps.forEach((value, i) => near(value, b.eps[i]));
    a.shares.forEach((value, i) => near(value, b.shares[i]));
  }
});

describe('a training set', () => {
  test('of one point is a Gaussian without variance: x0 is the point, at every t', () => {
    const point = [0.7, -1.2];
    const [one, gaussian] = [empiricalOracle([point]), gaussianOracle({ mean: point, variance: [0, 0] })];
    for (const t of steps)
      for (const xt of points(2)) {
        const found = one.at({ schedule, xt, t });
        expect(found).toEqual(gaussian.at({ schedule, xt, t }));
        expect(found.x0).toEqual(point);
      }
  });

  test('is the softmax of the distances, and the limit of a mixture of narrow Gaussians', () => {
    const set = [[1, 0], [-1, 0.5], [0, -1]]; // prettier-ignore
    const [xt, t] = [[0.1, 0.2], 60];
    const found = empiricalOracle(set).at({ schedule, xt, t });
    const weights = set.map((point) => {
      const square = point.reduce((sum, x, i) => sum + (xt[i] - Math.sqrt(schedule.abar[t]) * x) ** 2, 0);
      return Math.exp(-square / (2 * schedule.oneMinusAbar[t]));
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, i) => near(found.shares[i], weight / total));
    const narrow = mixtureOracle({ weights: set.map(() => 1 / 3), means: set, std: 1e-6 });
    const limit = narrow.at({ schedule, xt, t });
    near(limit.logDensity, found.logDensity);
    limit.x0.forEach((value, i) => near(value, found.x0[i]));
  });

  test('a point that occurs twice counts twice', () => {
    const twice = empiricalOracle([[0], [1], [1]]).at({ schedule, xt: [0.3], t: 70 });
    const weighted = mixtureOracle({ weights: [1 / 3, 2 / 3], means: [[0], [1]], std: 1e-6 });
    near(twice.x0[0], weighted.at({ schedule, xt: [0.3], t: 70 }).x0[0]);
  });

  test('late, all points are as likely; early, the next one is certain', () => {
    const set = [[1, 0], [-1, 0.5], [0, -1]]; // prettier-ignore
    const cosine = cosineSchedule({ T: 100 });
    const [late, early] = [99, 0].map((t) =>
      empiricalOracle(set).at({ schedule: cosine, xt: [0.9, 0.1], t }),
    );
    late.shares.forEach((share) => near(share, 1 / 3, 1e-3));
    near(early.shares[0], 1, 1e-12);
  });
});

describe('refuses', () => {
  const oracle = gaussianOracle({ mean: [0, 0], variance: [1, 1] });
  const negative = [[1, 2], [2, 1]]; // prettier-ignore
  test.each<[string, () => unknown, RegExp]>([
    ['a negative variance', () => gaussianOracle({ mean: 0, variance: -1 }), /gaussian.variance\[0\] is -1/],
    ['lists of two lengths', () => gaussianOracle({ mean: [0], variance: [1, 1] }), /1 numbers and 2 var/],
    ['asymmetry', () => gaussianOracle({ mean: [0, 0], covariance: [[1, 1], [0, 1]] }), /not symmetric/], // prettier-ignore
    ['a negative eigenvalue', () => gaussianOracle({ mean: [0, 0], covariance: negative }), /eigenvalue -1.000.*negative variance/], // prettier-ignore
    ['a bad component', () => mixtureOracle({ weights: [1], means: [[0, 0]], covariances: [negative] }), /component 0.covariance/], // prettier-ignore
    ['too few covariances', () => mixtureOracle({ weights: [1], means: [[0]], covariances: [] }), /1 means and 0 cov/], // prettier-ignore
    ['no point', () => empiricalOracle([]), /points is empty/],
    ['points of two sizes', () => empiricalOracle([[0, 0], [0]]), /points\[1\] is \[0\].*2 finite numbers/],
    ['what is no number', () => empiricalOracle([[NaN]]), /points\[0\] is \[NaN\]/],
    ['x_t of another size', () => oracle.at({ schedule, xt: [0], t: 0 }), /xt has 1 coordinates.*2/],
    ['a step too many', () => oracle.at({ schedule, xt: [0, 0], t: 100 }), /t is 100/],
  ])('%s', (_, act, message) => expect(act).toThrow(message));
});
