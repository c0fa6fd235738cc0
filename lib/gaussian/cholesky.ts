/** The Cholesky factor of a covariance: its square root as a triangle, with which all else is division. */
import { assertSymmetric, dot, type Matrix } from './matrix';

/**
 * The lower triangle L with `L L^T = A`. With z ~ N(0, I) the point `mean + L z` is a draw from N(mean, A).
 *
 * @param a symmetric and positive definite, `D` rows of `D` numbers
 * @param name of the matrix in messages
 * @throws Error if the matrix is not square, not symmetric or not positive definite
 * @see Golub and Van Loan 2013, Matrix Computations, section 4.2
 */
export function cholesky(a: Matrix, name = 'matrix'): number[][] {
  assertSymmetric(name, a);
  const lower = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j <= i; j++) {
      const rest = a[i][j] - dot(lower[i].slice(0, j), lower[j]);
      if (i !== j) lower[i][j] = rest / lower[j][j];
      // What is left of a pivot by rounding alone is no longer a variance.
      else if (rest > 1e-14 * a[i][i]) lower[i][i] = Math.sqrt(rest);
      else {
        throw new Error(
          `${name} is not positive definite: pivot ${i} is ${rest}, and must be above 0. ` +
            'Some combination of coordinates has no variance: add a small number to the diagonal, or leave it out.',
        );
      }
    }
  return lower;
}

/** The y with `L y = b`, for a lower triangle. */
export function solveLower(lower: Matrix, b: readonly number[]): number[] {
  const y: number[] = [];
  lower.forEach((row, i) => y.push((b[i] - dot(row.slice(0, i), y)) / row[i]));
  return y;
}

/** The x with `L L^T x = b`, for the Cholesky factor L of a matrix. */
export function solveCholesky(lower: Matrix, b: readonly number[]): number[] {
  const x = solveLower(lower, b);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i] -= lower[j][i] * x[j];
    x[i] /= lower[i][i];
  }
  return x;
}

/** `ln det A` from the Cholesky factor of A. */
export function logDeterminant(lower: Matrix): number {
  return 2 * lower.reduce((sum, row, i) => sum + Math.log(row[i]), 0);
}
