/** The derivation of the bound, line by line: each line evaluated on its own and compared with the line before. */
import { createGenerator } from '../../lib/engine';
import { linearSchedule, scheduleFromBetas } from '../../lib/diffusion';
import {
  chainOf,
  consistencyTerms,
  diffusionChain,
  diffusionVae,
  elboExact,
  exactLogMean,
  exactSum,
  gridLogMean,
  gridSum,
  line1,
  line10,
  line11,
  line12,
  line2,
  line3,
  line4,
  line5,
  line6,
  line7,
  line8,
  line9,
  logEvidence,
  matchingTerms,
  optimalEps,
  redrawn,
  sampledSum,
  sumOfTerms,
  type ChainModel,
  type Term,
} from '../../lib/elbo';
import { klDivergence } from '../../lib/gaussian';
import { mixtureOracle } from '../../lib/oracle';
import { near } from '../helpers/gaussians';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

type Line = (model: ChainModel) => Term[];
const lines: [string, Line, Line][] = [
  ['4', line4, line3],
  ['5', line5, line4],
  ['6', line6, line5],
  ['7', line7, line6],
  ['9', line9, line4],
  ['10', line10, line9],
  ['11', line11, line10],
  ['12', line12, line11],
];

describe('a linear Gaussian chain of 30 steps', () => {
  const schedule = linearSchedule({ T: 30, betaStart: 0.01, betaEnd: 0.4 });
  const data = { mean: 0.5, variance: 0.25 };
  const denoiser = Array.from(schedule.betas, (_, t) => {
    const { slope, offset } = optimalEps(schedule, t, data);
    return { slope: 0.8 * slope, offset: 0.8 * offset };
  });
  const vae = diffusionVae(schedule, denoiser);
  const model = chainOf(vae);
  const places = [-1, 1];

  test('line 1, by quadrature, is log p(x) in closed form', () => {
    for (const x of places) near(line1(model, x, { reach: 12, points: 401 }), logEvidence(vae, x));
  });

  test('line 2, the mean over the encoder, is line 1', () => {
    for (const x of places) near(exactLogMean(line2(model), x), logEvidence(vae, x));
  });

  test("line 3, Jensen's inequality, is the ELBO and lies below line 2", () => {
    for (const x of places) {
      near(exactSum(line3(model), x), elboExact(vae, x));
      expect(exactLogMean(line2(model), x) - exactSum(line3(model), x)).toBeGreaterThan(1e-3);
    }
  });

  test.each(lines)('line %s of a linear chain is the line before', (_, line, before) => {
    for (const x of places) near(exactSum(line(model), x), exactSum(before(model), x));
  });

  test('line 8 as printed differs from line 7 by exactly what was drawn anew', () => {
    for (const x of places) {
      const [printed, lost] = [exactSum(line8(model), x), exactSum(redrawn(model), x)];
      expect(lost).toBeGreaterThan(1);
      near(printed + lost, exactSum(line7(model), x));
      near(printed, sumOfTerms(consistencyTerms(vae, x, { independent: true })));
    }
  });

  test('lines 7 and 12, term by term, are the closed forms of both decompositions', () => {
    const x = 1;
    for (const [line, closed] of [
      [line7, consistencyTerms],
      [line12, matchingTerms],
    ] as const) {
      const [reconstruction, prior, ...steps] = line(model).map((term) => exactSum([term], x));
      const terms = closed(vae, x);
      near(reconstruction, terms.reconstruction);
      near(-prior, terms.prior);
      steps.forEach((step, t) => near(-step, terms.steps[t]));
      expect(steps.length).toBe(29);
    }
  });

  test('by sampling: within four standard errors', () => {
    const options = { draws: 400, generator: createGenerator(5) };
    for (const line of [line3, line7, line12]) {
      const { mean, standardError } = sampledSum(line(model), 1, options);
      expect(Math.abs(mean - elboExact(vae, 1))).toBeLessThan(4 * standardError);
      expect(standardError).toBeLessThan(0.7);
    }
  });
});

describe('the best denoiser of a mixture, three steps, by quadrature', () => {
  const schedule = scheduleFromBetas([0.4, 0.5, 0.6]);
  const oracle = mixtureOracle({ weights: [0.6, 0.4], means: [[-0.8], [0.8]], std: 0.6 });
  // All lines ask at the same places, those of the grid.
  const known = Array.from(schedule.betas, () => new Map<number, number>());
  const eps = (x: number, t: number): number => {
    if (!known[t].has(x)) known[t].set(x, oracle.at({ schedule, xt: [x], t }).eps[0]);
    return known[t].get(x)!;
  };
  const model = diffusionChain(schedule, eps);
  const grid = { points: 41, reach: 8 };
  const x = 0.5;
  const found = new Map<Line, number>();
  const value = (line: Line): number => {
    if (!found.has(line)) found.set(line, gridSum(line(model), x, grid));
    return found.get(line)!;
  };

  test('line 2 is line 1; line 3 lies below them', () => {
    const evidence = line1(model, x, { points: 401 });
    near(gridLogMean(line2(model), x, grid), evidence);
    expect(evidence - value(line3)).toBeGreaterThan(0.003);
  });

  test.each(lines)('line %s of a mixture is the line before', (_, line, before) => {
    near(value(line), value(before));
  });

  test('line 8 as printed, and what it loses', () => {
    expect(value(redrawn)).toBeGreaterThan(0.05);
    near(value(line8) + value(redrawn), value(line7));
  });

  test('by sampling: within four standard errors', () => {
    for (const line of [line7, line12]) {
      const { mean, standardError } = sampledSum(line(model), x, {
        draws: 10_000,
        generator: createGenerator(6),
      });
      expect(Math.abs(mean - value(line))).toBeLessThan(4 * standardError);
    }
  });
});

describe('the means', () => {
  const step = { scale: 0.8, offset: 0.3, variance: 0.5 };

  test('of a quadratic function and of its exponential: quadrature agrees with the closed form', () => {
    const term: Term = {
      over: [step, step],
      value: ([x, a, b]) => 0.3 * x - 0.2 * a * a + 0.1 * a * b - b,
    };
    near(exactSum([term, term], 0.7), gridSum([term, term], 0.7));
    near(exactLogMean(term, 0.7), gridLogMean(term, 0.7));
  });

  test('a step without variance takes no points of the grid', () => {
    let calls = 0;
    const value = ([, a, b]: readonly number[]): number => (calls++, a + b ** 2);
    const over = [{ ...step, variance: 0 }, step];
    near(gridSum([{ over, value }], 1, { points: 21 }), exactSum([{ over, value }], 1));
    expect(calls).toBeLessThan(40);
  });

  test('a KL is the mean that it abbreviates', () => {
    const [q, p] = [
      { mean: 0.4, variance: 0.3 },
      { mean: -1, variance: 2 },
    ];
    const over = [{ scale: 0, offset: q.mean, variance: q.variance }];
    const log = (h: number, { mean, variance }: typeof q) =>
      -0.5 * (Math.log(2 * Math.PI * variance) + (h - mean) ** 2 / variance);
    near(exactSum([{ over, value: ([, h]) => log(h, q) - log(h, p) }], 0), klDivergence(q, p));
  });

  test('bad grids, and means that are infinite, are refused', () => {
    const term: Term = { over: [step], value: ([, a]) => a * a };
    expect(() => gridSum([term], 0, { points: 10 })).toThrow(/points is 10/);
    expect(() => gridSum([term], 0, { reach: 0 })).toThrow(/reach is 0/);
    expect(() => exactLogMean({ over: [step], value: ([, a]) => 2 * a * a }, 0)).toThrow(/precision/);
    const narrow = chainOf({
      prior: { mean: 0, variance: 1 },
      decoder: [{ scale: 1, offset: 0, variance: 1e-4 }],
      encoder: [step],
    });
    expect(() => line1(narrow, 0)).toThrow(/too coarse/);
  });
});
