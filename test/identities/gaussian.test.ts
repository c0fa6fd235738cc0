/** Gaussians in float64: every closed form against the integral, or the densities, that it stands for. */
import fc from 'fast-check';
import {
  bitsToNats,
  cholesky,
  entropy,
  expectedLogDensity,
  klDivergence,
  logDensity,
  natsToBits,
  natsToBitsPerDim,
  symmetricEigen,
  toFull,
  type DiagonalGaussian,
  type FullGaussian,
  type Gaussian,
} from '../../lib/gaussian';
import { near, positiveDefinite } from '../helpers/gaussians';

/** The trapezoidal rule in the plane; for densities that are 0 at its border its error is below 1e-10. */
function integral(f: (x: [number, number]) => number, size = 10, n = 80): number {
  const h = (2 * size) / n;
  let sum = 0;
  for (let i = 0; i <= n; i++) for (let j = 0; j <= n; j++) sum += f([i * h - size, j * h - size]);
  return sum * h * h;
}

const q: FullGaussian = { mean: [0.3, -0.5], covariance: [[0.8, 0.3], [0.3, 0.5]] }; // prettier-ignore
const p: FullGaussian = { mean: [-0.2, 0.4], covariance: [[1.5, -0.6], [-0.6, 0.9]] }; // prettier-ignore
const diagonalQ: DiagonalGaussian = { mean: [0.3, -0.5], variance: [0.8, 0.5] };
const diagonalP: DiagonalGaussian = { mean: [-0.2, 0.4], variance: [1.5, 0.9] };

test.each([
  ['diagonal', diagonalQ, diagonalP],
  ['full', q, p],
  ['diagonal against full', diagonalQ, p],
])('%s: entropy, cross entropy and KL are the integrals that they stand for', (_, a, b) => {
  const density = (x: [number, number]) => Math.exp(logDensity(x, a));
  near(integral(density), 1);
  near(
    integral((x) => -density(x) * logDensity(x, a)),
    entropy(a),
  );
  near(
    integral((x) => density(x) * logDensity(x, b)),
    expectedLogDensity(a, b),
  );
  near(
    integral((x) => density(x) * (logDensity(x, a) - logDensity(x, b))),
    klDivergence(a, b),
  );
});

describe('in any dimension', () => {
  const size = fc.integer({ min: 1, max: 6 });
  const number = fc.double({ min: -2, max: 2, noNaN: true });
  const vector = (n: number) => fc.array(number, { minLength: n, maxLength: n });
  const gaussian = (n: number) =>
    fc.tuple(vector(n), vector(n * n)).map(([mean, entries]) => ({
      mean,
      covariance: positiveDefinite(n, entries),
    }));
  const check = (seed: number, property: (a: FullGaussian, b: FullGaussian, x: number[]) => void) =>
    fc.assert(
      fc.property(
        size.chain((n) => fc.tuple(gaussian(n), gaussian(n), vector(n))),
        ([a, b, x]) => property(a, b, x),
      ),
      { seed, numRuns: 60 },
    );

  test('KL is cross entropy less entropy, 0 to itself and not below 0', () =>
    check(1, (a, b) => {
      near(klDivergence(a, b), -entropy(a) - expectedLogDensity(a, b), 1e-9);
      near(klDivergence(a, a), 0, 1e-12);
      expect(klDivergence(a, b)).toBeGreaterThanOrEqual(-1e-12);
    }));

  test('the mean of the log-density is minus the entropy', () =>
    check(2, (a) => near(expectedLogDensity(a, a), -entropy(a))));

  test('turning the axes changes nothing: along the eigenvectors the coordinates are independent', () =>
    check(3, (a, _, x) => {
      const { values, axes } = symmetricEigen(a.covariance);
      const along = (v: readonly number[]) => axes.map((axis) => axis.reduce((s, e, i) => s + e * v[i], 0));
      const turned = { mean: along(a.mean), variance: values };
      near(logDensity(along(x), turned), logDensity(x, a), 1e-9);
      near(entropy(turned), entropy(a));
    }));

  test('independent coordinates: the same by lists of variances and by a covariance', () =>
    check(4, (a, b, x) => {
      const diagonal = ({ mean, covariance }: FullGaussian) => ({
        mean,
        variance: covariance.map((row, i) => row[i]),
      });
      const [da, db] = [diagonal(a), diagonal(b)];
      near(logDensity(x, da), logDensity(x, toFull(da)));
      near(entropy(da), entropy(toFull(da)));
      near(klDivergence(da, db), klDivergence(toFull(da), toFull(db)));
    }));

  test('the Cholesky factor is a lower triangle whose square is the covariance', () =>
    check(5, ({ covariance }) => {
      const lower = cholesky(covariance);
      lower.forEach((row, i) =>
        row.forEach((value, j) => {
          if (j > i) expect(value).toBe(0);
          near(
            row.reduce((sum, entry, k) => sum + entry * lower[j][k], 0),
            covariance[i][j],
            1e-12,
          );
        }),
      );
    }));

  test('eigenvalues and axes rebuild the matrix, and the axes are orthogonal', () =>
    check(6, ({ covariance }) => {
      const { values, axes } = symmetricEigen(covariance);
      covariance.forEach((row, i) =>
        row.forEach((value, j) => {
          near(
            values.reduce((sum, v, k) => sum + v * axes[k][i] * axes[k][j], 0),
            value,
            1e-12,
          );
          near(
            axes[i].reduce((sum, e, k) => sum + e * axes[j][k], 0),
            i === j ? 1 : 0,
            1e-13,
          );
        }),
      );
    }));
});

test('one coordinate is the case of one number', () => {
  const [a, b]: Gaussian[] = [
    { mean: 0.3, variance: 0.7 },
    { mean: -0.5, variance: 2 },
  ];
  const list = ({ mean, variance }: Gaussian) => ({ mean: [mean], variance: [variance] });
  const full = (g: Gaussian) => toFull(list(g));
  for (const vector of [list, full]) {
    near(logDensity([1.1], vector(a)), logDensity(1.1, a), 1e-14);
    near(entropy(vector(a)), entropy(a), 1e-14);
    near(klDivergence(vector(a), vector(b)), klDivergence(a, b), 1e-14);
    near(expectedLogDensity(vector(a), vector(b)), expectedLogDensity(a, b), 1e-14);
  }
});

test('nats and bits', () => {
  near(natsToBits(Math.LN2), 1, 1e-14);
  near(bitsToNats(natsToBits(3.7)), 3.7, 1e-14);
  // A uniform choice among 256 grey levels for each of 784 pixels is 8 bits a pixel.
  near(natsToBitsPerDim(784 * Math.log(256), 784), 8, 1e-13);
  expect(() => natsToBitsPerDim(1, 0)).toThrow(/dims is 0/);
});

describe('refuses', () => {
  const mean = [0, 0];
  test.each<[string, () => unknown, RegExp]>([
    ['a variance of 0', () => logDensity(0, { mean: 0, variance: 0 }), /gaussian.variance is 0.*above 0/],
    ['a variance of 0 in a list', () => entropy({ mean, variance: [1, 0] }), /gaussian\[1\].variance is 0/],
    ['lists of two lengths', () => entropy({ mean, variance: [1] }), /mean of 2 numbers and 1 variances/],
    ['too few rows', () => entropy({ mean, covariance: [[1]] }), /mean of 2 numbers and 1 rows/],
    ['a matrix that is not square', () => cholesky([[1, 0], [0]], 'S'), /S\[1\] has 1 numbers.*square/],
    ['no matrix', () => cholesky([]), /has no rows/],
    ['what is no number', () => cholesky([[1, NaN], [0, 1]], 'S'), /S\[0\]\[1\] is NaN/],
    ['asymmetry', () => entropy({ mean, covariance: [[1, 0.5], [0.4, 1]] }), /gaussian.covariance is not symmetric.*0\.4.*0\.5/],
    ['asymmetry of eigenvectors', () => symmetricEigen([[1, 2], [0, 1]], 'S'), /S is not symmetric/],
    ['a negative variance', () => klDivergence(q, { mean, covariance: [[1, 2], [2, 1]] }), /p.covariance is not positive definite: pivot 1 is -3/],
    ['a singular covariance', () => cholesky([[1, 1], [1, 1]]), /not positive definite.*diagonal/],
    ['a point of another dimension', () => logDensity([1], q), /x has 1 coordinates.*2/],
    ['a list for a number', () => logDensity([0] as never, { mean: 0, variance: 1 }), /x is a list/],
    ['Gaussians of two dimensions', () => klDivergence(q, { mean: [0], variance: [1] }), /q has 2 coordinates and p has 1/],
    ['a number and a vector', () => klDivergence(q, { mean: 0, variance: 1 } as never), /q has 2 coordinates and p has one number/],
  ])('%s', (_, act, message) => expect(act).toThrow(message)); // prettier-ignore
});
