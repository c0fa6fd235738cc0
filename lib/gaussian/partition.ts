/** A Gaussian of several coordinates: some of them alone, and some of them once the others are known. */
import { cholesky, solveCholesky, solveLower } from './cholesky';
import { toFull, type VectorGaussian } from './kinds';
import type { FullGaussian } from './full';
import { dot, submatrix } from './matrix';

/** Throws unless axes names coordinates that exist, none of them twice. */
function checkAxes(axes: readonly number[], dims: number): void {
  axes.forEach((axis, i) => {
    if (!(Number.isInteger(axis) && axis >= 0 && axis < dims)) {
      throw new Error(`axes[${i}] is ${axis}: the Gaussian has the coordinates 0..${dims - 1}.`);
    }
    if (axes.indexOf(axis) !== i) throw new Error(`axes name coordinate ${axis} twice: name each once.`);
  });
}

/**
 * The marginal of some coordinates: their part of the mean, and their rows and columns of the covariance.
 *
 * @param axes the coordinates to keep, in the order that the result has them
 * @throws Error if axes is empty, or names coordinates that do not exist or one twice
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eqs. 2.92 and 2.93
 */
export function marginalOf(joint: VectorGaussian, axes: readonly number[]): FullGaussian {
  const { mean, covariance } = toFull(joint, 'joint');
  if (axes.length === 0) throw new Error('axes is empty: name at least one coordinate to keep.');
  checkAxes(axes, mean.length);
  return { mean: axes.map((axis) => mean[axis]), covariance: submatrix(covariance, axes, axes) };
}

/**
 * The other coordinates once some are known: `mean = m_a + S_ab S_bb^-1 (x_b - m_b)`,
 * `covariance = S_aa - S_ab S_bb^-1 S_ba`, with b the known ones. The covariance does not depend on their values.
 *
 * @param known which coordinates are known, and what they are, in the same order
 * @returns of the coordinates that are left, in their old order
 * @throws Error if sizes differ, no coordinate is left, or the covariance is not symmetric and positive definite
 * @see Bishop 2006, Pattern Recognition and Machine Learning, eqs. 2.81 and 2.82
 */
export function conditionalOf(
  joint: VectorGaussian,
  { axes, values }: { axes: readonly number[]; values: readonly number[] },
): FullGaussian {
  const { mean, covariance } = toFull(joint, 'joint');
  checkAxes(axes, mean.length);
  if (axes.length === 0 || axes.length !== values.length) {
    throw new Error(
      `${axes.length} axes are known with ${values.length} values: give at least one, and a value for each.`,
    );
  }
  const left = mean.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  if (left.length === 0) throw new Error('All coordinates are known: leave at least one out of axes.');
  cholesky(covariance, 'joint.covariance');
  const lower = cholesky(submatrix(covariance, axes, axes));
  const across = submatrix(covariance, left, axes);
  const toKnown = solveCholesky(
    lower,
    axes.map((axis, i) => values[i] - mean[axis]),
  );
  // Lb^-1 S_ba, column by column: products of these are S_ab S_bb^-1 S_ba.
  const explained = across.map((row) => solveLower(lower, row));
  return {
    mean: left.map((axis, i) => mean[axis] + dot(across[i], toKnown)),
    covariance: left.map((a, i) => left.map((b, j) => covariance[a][b] - dot(explained[i], explained[j]))),
  };
}
