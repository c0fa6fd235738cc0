/** Products, marginals and conditionals of Gaussians, against the densities that they stand for. */
import fc from 'fast-check';
import { linearSchedule, posteriorCoefficients } from '../../lib/diffusion';
import {
  conditionAt,
  conditionalOf,
  jointWith,
  logDensity,
  marginalOf,
  marginalise,
  productOf,
  reverseConditional,
  type DiagonalGaussian,
  type FullGaussian,
  type Gaussian,
} from '../../lib/gaussian';
import { near, positiveDefinite } from '../helpers/gaussians';

const number = fc.double({ min: -2, max: 2, noNaN: true });
const vector = (n: number) => fc.array(number, { minLength: n, maxLength: n });
const gaussian = (n: number) =>
  fc
    .tuple(vector(n), vector(n * n))
    .map(([mean, entries]): FullGaussian => ({ mean, covariance: positiveDefinite(n, entries) }));

describe('a product', () => {
  const check = (seed: number, property: (a: FullGaussian, b: FullGaussian, x: number[]) => void) =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(gaussian(n), gaussian(n), vector(n))),
        ([a, b, x]) => property(a, b, x),
      ),
      { seed, numRuns: 60 },
    );

  test('is the product of the densities at every x, with its factor', () =>
    check(1, (a, b, x) => {
      const { product, logScale } = productOf(a, b);
      near(logScale + logDensity(x, product), logDensity(x, a) + logDensity(x, b), 1e-9);
      const other = productOf(b, a);
      near(other.logScale, logScale);
      product.covariance.forEach((row, i) =>
        row.forEach((value, j) => {
          expect(product.covariance[j][i]).toBe(value);
          near(other.product.covariance[i][j], value);
        }),
      );
    }));

  test('of independent coordinates is one product for each', () => {
    const a: DiagonalGaussian = { mean: [0.1, -1], variance: [0.5, 2] };
    const b: DiagonalGaussian = { mean: [1, 0.3], variance: [1.5, 0.2] };
    const { product, logScale } = productOf(a, b);
    const axes = [0, 1].map((i) => {
      const one = ({ mean, variance }: DiagonalGaussian): Gaussian => ({
        mean: mean[i],
        variance: variance[i],
      });
      return productOf(one(a), one(b));
    });
    near(
      logScale,
      axes.reduce((sum, axis) => sum + axis.logScale, 0),
    );
    for (const x of [-1, 0.4, 2])
      near(logScale + logDensity([x, x], product), logDensity([x, x], a) + logDensity([x, x], b));
    axes.forEach((axis, i) => {
      near(1 / axis.product.variance, 1 / a.variance[i] + 1 / b.variance[i]);
      near(product.mean[i], axis.product.mean);
    });
  });

  test('gives the posterior of a step: q(x_t | x_{t-1}) q(x_{t-1} | x_0) as densities of x_{t-1}', () => {
    const schedule = linearSchedule({ T: 40, rescale: true });
    for (const t of [1, 7, 39]) {
      const [x0, xt] = [0.7, -0.4];
      const { alphas, betas, abarPrev, oneMinusAbar } = schedule;
      const fromBelow: Gaussian = { mean: Math.sqrt(abarPrev[t]) * x0, variance: oneMinusAbar[t - 1] };
      const fromAbove: Gaussian = { mean: xt / Math.sqrt(alphas[t]), variance: betas[t] / alphas[t] };
      const { product } = productOf(fromBelow, fromAbove);
      const c = posteriorCoefficients(schedule, t);
      near(product.mean, c.x0 * x0 + c.xt * xt, 1e-12);
      near(product.variance, c.variance, 1e-12);
    }
  });

  test('refuses Gaussians that do not fit, and says which', () => {
    const a: FullGaussian = { mean: [0], covariance: [[1]] };
    expect(() => productOf(a, { mean: [0, 0], variance: [1, 1] })).toThrow(/a has the mean \[0\].*\[0,0\]/);
    expect(() => productOf(a, { mean: [0], covariance: [[-1]] })).toThrow(/b.covariance is not positive/);
    expect(() => productOf({ mean: 0, variance: 1 }, { mean: 0, variance: 0 })).toThrow(/b.variance is 0/);
    expect(() => productOf({ mean: [0], variance: [0] }, { mean: [0], variance: [1] })).toThrow(/a\[0\]/);
  });
});

describe('marginals and conditionals', () => {
  const joints = fc
    .integer({ min: 2, max: 5 })
    .chain((n) => fc.tuple(gaussian(n), vector(n), fc.integer({ min: 1, max: n - 1 })));

  test('p(a, b) = p(b) p(a | b) for any choice of b', () =>
    fc.assert(
      fc.property(joints, ([joint, x, count]) => {
        // Known ones from the end, in falling order: nothing may rely on the order of the coordinates.
        const axes = x.map((_, i) => x.length - 1 - i).slice(0, count);
        const values = axes.map((axis) => x[axis]);
        const left = x.slice(0, x.length - count);
        const parts =
          logDensity(values, marginalOf(joint, axes)) +
          logDensity(left, conditionalOf(joint, { axes, values }));
        near(parts, logDensity(x, joint), 1e-9);
      }),
      { seed: 2, numRuns: 60 },
    ));

  test('a marginal is the integral over the others', () => {
    const joint: FullGaussian = { mean: [0.3, -0.5], covariance: [[0.8, 0.3], [0.3, 0.5]] }; // prettier-ignore
    const h = 0.02;
    for (const x of [-1, 0.2]) {
      let sum = 0;
      for (let y = -10; y < 10; y += h) sum += h * Math.exp(logDensity([x, y], joint));
      near(sum, Math.exp(logDensity([x], marginalOf(joint, [0]))));
    }
  });

  test('independent coordinates tell nothing about each other', () => {
    const joint: DiagonalGaussian = { mean: [1, 2, 3], variance: [0.5, 1, 2] };
    const found = conditionalOf(joint, { axes: [1], values: [100] });
    expect(found).toEqual({ mean: [1, 3], covariance: [[0.5, 0], [0, 2]] }); // prettier-ignore
  });

  test("Bayes' rule is the conditional of the pair", () => {
    const prior = { mean: 0.3, variance: 0.7 };
    const likelihood = { scale: 1.7, offset: 0.4, variance: 0.3 };
    const joint = jointWith(prior, likelihood);
    const y = marginalOf(joint, [1]);
    near(y.mean[0], marginalise(prior, likelihood).mean, 1e-15);
    near(y.covariance[0][0], marginalise(prior, likelihood).variance, 1e-15);
    for (const value of [-2, 0.5]) {
      const back = conditionAt(reverseConditional(prior, likelihood), value);
      const found = conditionalOf(joint, { axes: [1], values: [value] });
      near(found.mean[0], back.mean, 1e-13);
      near(found.covariance[0][0], back.variance, 1e-13);
      near(
        logDensity([1, value], joint),
        logDensity(1, prior) + logDensity(value, conditionAt(likelihood, 1)),
        1e-12,
      );
    }
  });

  test('refuse coordinates that do not exist, twice, none and all', () => {
    const joint: DiagonalGaussian = { mean: [0, 0], variance: [1, 1] };
    expect(() => marginalOf(joint, [2])).toThrow(/axes\[0\] is 2.*0\.\.1/);
    expect(() => marginalOf(joint, [0, 0])).toThrow(/coordinate 0 twice/);
    expect(() => marginalOf(joint, [])).toThrow(/axes is empty/);
    expect(() => conditionalOf(joint, { axes: [0], values: [] })).toThrow(/1 axes.*0 values/);
    expect(() => conditionalOf(joint, { axes: [0, 1], values: [0, 0] })).toThrow(/leave at least one out/);
    const singular: FullGaussian = { mean: [0, 0], covariance: [[1, 1], [1, 1]] }; // prettier-ignore
    expect(() => conditionalOf(singular, { axes: [0], values: [0] })).toThrow(/joint.covariance is not pos/);
  });
});
