/** Numbers near each other, and covariances to try things on. */

export const near = (a: number, b: number, tolerance = 1e-10) =>
  expect(Math.abs(a - b)).toBeLessThanOrEqual(tolerance);

/** `A A^T / n + I / 2` of n * n numbers: positive definite, and far enough from singular for ten digits. */
export function positiveDefinite(n: number, entries: readonly number[]): number[][] {
  const row = (i: number) => entries.slice(i * n, (i + 1) * n);
  return Array.from({ length: n }, (_, i) =>
    Array.from(
      { length: n },
      (__, j) => row(i).reduce((sum, a, k) => sum + a * row(j)[k], 0) / n + (i === j ? 0.5 : 0),
    ),
  );
}
