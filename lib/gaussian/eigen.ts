/** The axes of a covariance: along them the coordinates are independent, with or without noise. */
import { assertSymmetric, diagonalMatrix, dot, type Matrix } from './matrix';

/** `A = sum_i values[i] axes[i] axes[i]^T`. */
export interface Eigen {
  /** In no order. */
  values: number[];
  /** Row i is the unit vector that belongs to `values[i]`; the rows are orthogonal to each other. */
  axes: number[][];
}

/** Sweeps after which Jacobi's method has long converged: each about doubles the digits. */
const MOST_SWEEPS = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's method: turns in one plane after another, each of which
 * makes one pair of entries 0.
 *
 * @param a symmetric, `D` rows of `D` numbers; meant for D up to some hundred
 * @param name of the matrix in messages
 * @throws Error if the matrix is not square or not symmetric
 * @see Golub and Van Loan 2013, Matrix Computations, section 8.5
 */
export function symmetricEigen(a: Matrix, name = 'matrix'): Eigen {
  assertSymmetric(name, a);
  const n = a.length;
  const m = a.map((row) => [...row]);
  const axes = diagonalMatrix(a.map(() => 1));
  const size = squares(m);
  const off = (): number => squares(m.map((row, i) => row.slice(0, i)));
  for (let sweep = 0; sweep < MOST_SWEEPS && off() > 1e-32 * size; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) turn(m, axes, p, q);
  return { values: m.map((row, i) => row[i]), axes };
}

/** The sum of the squares of all numbers. */
const squares = (rows: Matrix): number => rows.reduce((sum, row) => sum + dot(row, row), 0);

/** Turns the plane of coordinates p and q such that their covariance is 0. */
function turn(m: number[][], axes: number[][], p: number, q: number): void {
  if (m[p][q] === 0) return;
  const theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
  // The smaller of the two angles that do it, as a tangent.
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of m) {
    const [x, y] = [row[p], row[q]];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  for (const rows of [m, axes]) {
    const [u, v] = [rows[p], rows[q]];
    for (let i = 0; i < u.length; i++) {
      const [x, y] = [u[i], v[i]];
      u[i] = c * x - s * y;
      v[i] = s * x + c * y;
    }
  }
  // But for rounding; else the sweeps would go on about it.
  m[p][q] = m[q][p] = 0;
}
