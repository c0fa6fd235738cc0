/**
 * Means over what the encoder draws, in three ways: exact for quadratic functions, by quadrature for smooth ones, and by
 * sampling for any.
 */
import { conditionAt, type LinearGaussian } from '../gaussian';
import { cholesky, logDeterminant, solveLower } from '../gaussian/cholesky';
import { drawNormals, estimate, type DrawOptions, type Estimate } from './estimate';

/** One mean: of `value` over chains `[x, h_1, ..., h_n]` whose h come one after the other from `over`. */
export interface Term {
  over: readonly LinearGaussian[];
  value: (h: readonly number[]) => number;
}

export interface Grid {
  /** Of each variable, odd, at least 3; 41 by default. The cost is `points^n` for n variables. */
  points?: number;
  /** Ends of the grid, in standard deviations; 8 by default. */
  reach?: number;
}

/** The chain that these standard normal numbers make of x. */
function chainFrom(over: readonly LinearGaussian[], x: number, z: ArrayLike<number>): number[] {
  const h = [x];
  over.forEach((conditional, i) => {
    const { mean, variance } = conditionAt(conditional, h[i]);
    h.push(mean + Math.sqrt(variance) * z[i]);
  });
  return h;
}

/** The coefficients of a quadratic function of n normal numbers, `f(z) = c + b z + z H z / 2`, read off its values. */
function coefficients({ over, value }: Term, x: number) {
  const n = over.length;
  const at = (...moves: [number, number][]): number => {
    const z = new Float64Array(n);
    for (const [i, by] of moves) z[i] += by;
    return value(chainFrom(over, x, z));
  };
  const c = at();
  const axes = Array.from({ length: n }, (_, i) => i);
  const up = axes.map((i) => at([i, 1]));
  const down = axes.map((i) => at([i, -1]));
  return {
    c,
    b: axes.map((i) => (up[i] - down[i]) / 2),
    curvature: axes.map((i) => up[i] + down[i] - 2 * c),
    mixed: (i: number, j: number) => at([i, 1], [j, 1]) - up[i] - up[j] + c,
  };
}

/** The sum of the means, exact if every value is quadratic in its h: `E[c + b z + z H z / 2] = c + tr H / 2`. */
export function exactSum(terms: readonly Term[], x: number): number {
  return terms.reduce((sum, term) => {
    const { c, curvature } = coefficients(term, x);
    return sum + c + curvature.reduce((trace, value) => trace + value, 0) / 2;
  }, 0);
}

/**
 * `ln E[exp(value)]`, exact if the value is quadratic: `c - ln det(I - H) / 2 + b (I - H)^-1 b / 2`.
 *
 * @throws Error if the mean is infinite (I - H not positive definite)
 */
export function exactLogMean(term: Term, x: number): number {
  const { c, b, curvature, mixed } = coefficients(term, x);
  const matrix = b.map(() => b.map(() => 0));
  b.forEach((_, i) => {
    matrix[i][i] = 1 - curvature[i];
    for (let j = 0; j < i; j++) matrix[i][j] = matrix[j][i] = -mixed(i, j);
  });
  const lower = cholesky(matrix, 'the precision of exp(value) q');
  const y = solveLower(lower, b);
  return c - logDeterminant(lower) / 2 + y.reduce((sum, each) => sum + each * each, 0) / 2;
}

/** The sum of the means by quadrature, for smooth values and few variables a term. @throws Error if the grid is none */
export function gridSum(terms: readonly Term[], x: number, grid: Grid = {}): number {
  return terms.reduce((sum, term) => {
    let mean = 0;
    visit(term, x, grid, (value, weight) => (mean += weight * value));
    return sum + mean;
  }, 0);
}

/** `ln E[exp(value)]` by quadrature. @throws Error if the grid is none */
export function gridLogMean(term: Term, x: number, grid: Grid = {}): number {
  let mean = 0;
  visit(term, x, grid, (value, weight) => (mean += weight * Math.exp(value)));
  return Math.log(mean);
}

/** Every chain of the grid with its weight; the weights add up to 1. */
function visit(
  { over, value }: Term,
  x: number,
  { points = 41, reach = 8 }: Grid,
  see: (value: number, weight: number) => void,
): void {
  if (!(Number.isInteger(points) && points >= 3 && points % 2 === 1)) {
    throw new Error(`points is ${points}: a grid needs an odd whole number of at least 3.`);
  }
  if (!(reach > 0 && reach < Infinity)) {
    throw new Error(`reach is ${reach}: the ends of a grid must be a number of standard deviations above 0.`);
  }
  const nodes = Array.from({ length: points }, (_, i) => reach * ((2 * i) / (points - 1) - 1));
  const bell = nodes.map((z) => Math.exp(-(z ** 2) / 2));
  const area = bell.reduce((sum, y) => sum + y, 0);
  const weights = bell.map((y) => y / area);
  const h = [x];
  const walk = (i: number, weight: number): void => {
    if (i === over.length) return see(value(h), weight);
    const { mean, variance } = conditionAt(over[i], h[i]);
    const std = Math.sqrt(variance);
    const fixed = std === 0;
    for (let k = 0; k < (fixed ? 1 : points); k++) {
      h[i + 1] = mean + std * nodes[k];
      walk(i + 1, fixed ? weight : weight * weights[k]);
    }
  };
  walk(0, 1);
}

/**
 * The sum of the means by sampling: `draws` chains for each term, those of one term independent of another's.
 *
 * @returns mean and standard error of the sum
 * @throws Error for fewer than two draws
 */
export function sampledSum(
  terms: readonly Term[],
  x: number,
  { draws, generator }: DrawOptions,
): Pick<Estimate, 'mean' | 'standardError'> {
  const each = terms.map(({ over, value }, k) => {
    const noise = drawNormals(over.length, { draws, generator: generator.fork('term', k) });
    return estimate(draws, (i) =>
      value(
        chainFrom(
          over,
          x,
          noise.map((row) => row[i]),
        ),
      ),
    );
  });
  return {
    mean: each.reduce((sum, { mean }) => sum + mean, 0),
    standardError: Math.sqrt(each.reduce((sum, { standardError }) => sum + standardError ** 2, 0)),
  };
}
