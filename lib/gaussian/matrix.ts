/** Matrices of float64 numbers as lists of rows, small ones: covariances, and what is made of them. */

/** Rows of equal length. */
export type Matrix = readonly (readonly number[])[];

/** `M v`. */
export function matrixTimes(m: Matrix, v: readonly number[]): number[] {
  return m.map((row) => dot(row, v));
}

/** `u . v`. */
export function dot(u: readonly number[], v: readonly number[]): number {
  return u.reduce((sum, value, i) => sum + value * v[i], 0);
}

/** The matrix with these numbers on its diagonal. */
export function diagonalMatrix(values: readonly number[]): number[][] {
  return values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
}

/** The rows and columns of these numbers, in their order. */
export function submatrix(m: Matrix, rows: readonly number[], columns: readonly number[]): number[][] {
  return rows.map((i) => columns.map((j) => m[i][j]));
}

/** By how much two numbers that ought to be equal may differ, as a share of the largest entry. */
const ROUNDING = 1e-9;

/**
 * Throws unless a matrix is square, made of finite numbers and symmetric up to rounding.
 *
 * @param name of the matrix, for the message
 */
export function assertSymmetric(name: string, m: Matrix): void {
  const n = m.length;
  if (n === 0) throw new Error(`${name} has no rows: give a square matrix of at least 1 x 1.`);
  m.forEach((row, i) => {
    if (row.length !== n) {
      throw new Error(`${name}[${i}] has ${row.length} numbers, but there are ${n} rows: it must be square.`);
    }
    const odd = row.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0) throw new Error(`${name}[${i}][${odd}] is ${row[odd]}: every entry must be a number.`);
  });
  const largest = Math.max(...m.map((row) => Math.max(...row.map(Math.abs))));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      if (Math.abs(m[i][j] - m[j][i]) > ROUNDING * largest) {
        throw new Error(
          `${name} is not symmetric: [${i}][${j}] is ${m[i][j]} and [${j}][${i}] is ${m[j][i]}. ` +
            'A covariance is the same both ways; use (A + A^T) / 2 if the difference is rounding.',
        );
      }
}
