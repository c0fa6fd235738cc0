/** The ELBO of linear-Gaussian chains: every identity of the derivation, in float64. */
import { createGenerator } from '../../lib/engine';
import { constantSchedule, linearSchedule, posteriorCoefficients, priorBits } from '../../lib/diffusion';
import {
  consistencyEstimate,
  consistencyStepEstimate,
  consistencyTerms,
  diffusionVae,
  elboExact,
  elboMonteCarlo,
  encoderMarginals,
  epsWeight,
  estimate,
  logEvidence,
  matchingEstimate,
  matchingStepEstimate,
  matchingTerms,
  optimalEps,
  posteriorGap,
  sumOfTerms,
  truePosterior,
  type HierarchicalVae,
} from '../../lib/elbo';
import {
  conditionAt,
  entropy,
  expectedLogDensity,
  klDivergence,
  logDensity,
  marginalise,
  natsToBits,
  reverseConditional,
} from '../../lib/gaussian';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const near = (a: number, b: number, tolerance = 1e-10) => expect(Math.abs(a - b)).toBeLessThan(tolerance);
/** Midpoint rule over [-40, 40], for functions that are 0 outside. */
const integral = (f: (x: number) => number, n = 200_000) =>
  (80 / n) * Array.from({ length: n }, (_, i) => f(-40 + ((i + 0.5) * 80) / n)).reduce((a, b) => a + b, 0);

const vae: HierarchicalVae = {
  prior: { mean: 0.2, variance: 1.3 },
  decoder: [
    { scale: 0.9, offset: 0.1, variance: 0.2 },
    { scale: 0.7, offset: -0.3, variance: 0.5 },
    { scale: 1.1, offset: 0.2, variance: 0.4 },
  ],
  encoder: [
    { scale: 0.8, offset: 0, variance: 0.3 },
    { scale: 0.6, offset: 0.1, variance: 0.6 },
    { scale: 0.9, offset: -0.2, variance: 0.7 },
  ],
};

describe('Gaussians', () => {
  const q = { mean: 0.3, variance: 0.7 };
  const p = { mean: -0.5, variance: 2 };

  test('KL, entropy and cross entropy are the integrals that they stand for', () => {
    const density = (x: number) => Math.exp(logDensity(x, q));
    near(integral(density), 1, 1e-9);
    near(
      integral((x) => density(x) * (logDensity(x, q) - logDensity(x, p))),
      klDivergence(q, p),
      1e-9,
    );
    near(
      integral((x) => -density(x) * logDensity(x, q)),
      entropy(q),
      1e-9,
    );
    near(-entropy(q) - expectedLogDensity(q, p), klDivergence(q, p));
  });

  test('KL(N(0,1), N(1,1)) is half a nat, 0.721348 bits; KL(q, q) is 0', () => {
    const kl = klDivergence({ mean: 0, variance: 1 }, { mean: 1, variance: 1 });
    expect(kl).toBe(0.5);
    near(natsToBits(kl), 0.721348, 1e-6);
    expect(klDivergence(p, p)).toBe(0);
  });

  test("Bayes' rule: p(x) p(y|x) = p(y) p(x|y) at any point", () => {
    const likelihood = { scale: 1.7, offset: 0.4, variance: 0.3 };
    const back = reverseConditional(q, likelihood);
    for (const [x, y] of [
      [0, 0],
      [1.3, -2],
      [-3, 4],
    ]) {
      const forward = logDensity(x, q) + logDensity(y, conditionAt(likelihood, x));
      const reverse = logDensity(y, marginalise(q, likelihood)) + logDensity(x, conditionAt(back, y));
      near(forward, reverse, 1e-9);
    }
  });

  test('a variance of 0 or less is refused by name', () => {
    expect(() => logDensity(0, { mean: 0, variance: 0 })).toThrow(/variance is 0/);
    expect(() => klDivergence(q, { mean: 0, variance: -1 })).toThrow(/p.variance is -1/);
  });
});

describe('a hierarchical VAE', () => {
  test.each([-2, 0, 0.7, 3])('x = %p: log p(x) - ELBO is the KL to the true posterior', (x) => {
    const gap = logEvidence(vae, x) - elboExact(vae, x);
    near(gap, posteriorGap(vae, x));
    expect(gap).toBeGreaterThan(0.01);
  });

  test('with the true posterior as encoder the bound is tight', () => {
    const tight = { ...vae, encoder: truePosterior(vae) };
    for (const x of [-1, 0, 2]) {
      near(elboExact(tight, x), logEvidence(vae, x));
      near(posteriorGap(tight, x), 0, 1e-12);
    }
  });

  test('one level: log p(x) is the integral over h', () => {
    const one = { prior: vae.prior, decoder: vae.decoder.slice(0, 1), encoder: vae.encoder.slice(0, 1) };
    const x = 0.4;
    const joint = (h: number) =>
      Math.exp(logDensity(h, one.prior) + logDensity(x, conditionAt(one.decoder[0], h)));
    near(Math.log(integral(joint)), logEvidence(one, x), 1e-9);
  });

  test("the encoder's marginals are its steps, one after the other", () => {
    const [one, two, three] = encoderMarginals(vae, 0.7);
    near(one.mean, 0.8 * 0.7);
    near(one.variance, 0.3);
    // Of the second the density is an integral over the first.
    for (const h of [-1, 0.3, 1.5]) {
      const joint = (h1: number) =>
        Math.exp(logDensity(h1, one) + logDensity(h, conditionAt(vae.encoder[1], h1)));
      near(Math.log(integral(joint)), logDensity(h, two), 1e-9);
    }
    near(three.mean, 0.9 * (0.6 * 0.56 + 0.1) - 0.2);
    near(three.variance, 0.81 * (0.36 * 0.3 + 0.6) + 0.7);
  });

  test('sampling agrees within four standard errors', () => {
    const exact = elboExact(vae, 0.7);
    const { mean, standardError } = elboMonteCarlo(vae, 0.7, {
      draws: 20_000,
      generator: createGenerator(3),
    });
    expect(Math.abs(mean - exact)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.05);
  });

  test('chains of different lengths, and single draws, are refused', () => {
    const short = { ...vae, encoder: vae.encoder.slice(1) };
    expect(() => elboExact(short, 0)).toThrow(/3 decoders and 2 encoders/);
    expect(() => estimate(1, () => 0)).toThrow(/draws is 1/);
  });
});

describe('the two decompositions', () => {
  const schedule = linearSchedule({ T: 12, betaStart: 0.02, betaEnd: 0.4 });
  const data = { mean: 0.4, variance: 0.3 };
  const optimal = Array.from(schedule.betas, (_, t) => optimalEps(schedule, t, data));
  const wrong = optimal.map(({ slope, offset }) => ({ slope: 0.8 * slope, offset: offset + 0.1 }));
  const zero = optimal.map(() => ({ slope: 0, offset: 0 }));

  test.each([
    ['optimal', optimal],
    ['slightly wrong', wrong],
    ['untrained', zero],
  ])('%s denoiser: both sum to the ELBO, term by term different', (_, denoiser) => {
    for (const variance of ['beta', 'posterior'] as const) {
      const model = diffusionVae(schedule, denoiser, variance);
      for (const x of [-1, 0.4, 1.5]) {
        const [a, b] = [consistencyTerms(model, x), matchingTerms(model, x)];
        near(sumOfTerms(a), elboExact(model, x));
        near(sumOfTerms(b), elboExact(model, x));
        near(a.reconstruction, b.reconstruction);
        expect(a.steps.length).toBe(schedule.T - 1);
        expect(Math.abs(a.prior - b.prior)).toBeGreaterThan(1e-3);
      }
    }
  });

  test('a KL with h_t drawn anew is not the term: its sum misses the ELBO', () => {
    const model = diffusionVae(schedule, optimal);
    const literal = sumOfTerms(consistencyTerms(model, 0.4, { independent: true }));
    expect(Math.abs(literal - elboExact(model, 0.4))).toBeGreaterThan(0.5);
  });

  test('whole chains: estimates agree with the exact value within four standard errors', () => {
    const model = diffusionVae(schedule, wrong);
    const options = { draws: 20_000, generator: createGenerator(4) };
    for (const form of [consistencyEstimate, matchingEstimate]) {
      const { mean, standardError } = form(model, 1, options);
      expect(Math.abs(mean - elboExact(model, 1))).toBeLessThan(4 * standardError);
    }
  });

  test("single steps: so do they, and the notes' form varies far more", () => {
    const long = linearSchedule({ T: 200, rescale: true });
    const lines = Array.from(long.betas, (_, t) => ({
      slope: 0.8 * optimalEps(long, t, data).slope,
      offset: 0,
    }));
    const model = diffusionVae(long, lines);
    const options = { draws: 20_000, generator: createGenerator(5) };
    for (const step of [20, 100, 198]) {
      const [a, b] = [
        consistencyStepEstimate(model, 1, step, options),
        matchingStepEstimate(model, 1, step, options),
      ];
      expect(Math.abs(a.mean - consistencyTerms(model, 1).steps[step])).toBeLessThan(4 * a.standardError);
      expect(Math.abs(b.mean - matchingTerms(model, 1).steps[step])).toBeLessThan(4 * b.standardError);
      expect(b.std).toBeLessThan(a.std / 5);
    }
    expect(() => matchingStepEstimate(model, 1, 199, options)).toThrow(/step is 199/);
  });

  test('a perfect model: ln p(x, h) - ln q(h | x) is log p(x) along every chain, without any variance', () => {
    const perfect = { ...vae, encoder: truePosterior(vae) };
    const { mean, std } = elboMonteCarlo(perfect, 0.3, { draws: 100, generator: createGenerator(6) });
    near(mean, logEvidence(perfect, 0.3));
    expect(std).toBeLessThan(1e-12);
  });

  test('the weight turns the error of the noise into the KL', () => {
    // For x_t fixed, the KL between two Gaussians of the posterior's variance is w (eps - epsHat)^2.
    for (const t of [1, 5, 11]) {
      const c = posteriorCoefficients(schedule, t);
      const [x0, eps, epsHat] = [0.3, 0.8, 0.5];
      const { abar, oneMinusAbar } = schedule;
      const xt = Math.sqrt(abar[t]) * x0 + Math.sqrt(oneMinusAbar[t]) * eps;
      const x0Hat = (xt - Math.sqrt(oneMinusAbar[t]) * epsHat) / Math.sqrt(abar[t]);
      const at = (x: number) => ({ mean: c.x0 * x + c.xt * xt, variance: c.variance });
      near(klDivergence(at(x0), at(x0Hat)), epsWeight(schedule, t, 'posterior') * (eps - epsHat) ** 2);
    }
    expect(() => epsWeight(schedule, 0, 'posterior')).toThrow(/reconstruction/);
  });

  test('the prior term of matching, averaged over data of mean square 1, is priorBits', () => {
    const short = constantSchedule({ T: 30, beta: 0.05 });
    const model = diffusionVae(short, Array(30).fill({ slope: 0, offset: 0 }));
    near(natsToBits(matchingTerms(model, 1).prior), priorBits(short, { meanSquare: 1, dims: 1 }));
  });
});
