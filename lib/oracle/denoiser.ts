/** The best denoiser of a sum of clouds, on tensors. */
import { pure } from '../compile';
import { gatherSchedule, type Denoiser, type Schedule } from '../diffusion';
import { tf } from '../engine';
import { diagonalMatrix } from '../gaussian/matrix';
import type { Cloud, Spread } from './clouds';

/**
 * `E[eps | x_t] = sqrt(1 - abar_t) sum_k r_k V_k^-1 (x_t - sqrt(abar_t) mu_k)` with `V_k = abar_t S_k + (1 - abar_t) I` and
 * `r_k` the share of cloud k, a softmax. Needs memory for B K D numbers.
 */
export function denoiserOf(clouds: readonly Cloud[], schedule: Schedule): Denoiser {
  const dims = clouds[0].mean.length;
  const common = new Set(clouds.map(({ spread }) => spread)).size === 1;
  const spreads = (common ? clouds.slice(0, 1) : clouds).map(({ spread }) => spread);
  const tables = tablesOf(spreads, schedule);
  const turned = spreads.some(({ axes }) => axes !== undefined);
  const axes = turned && spreads.map(({ axes, variances }) => axes ?? diagonalMatrix(variances.map(() => 1)));
  const middles = new Float32Array(clouds.length * dims);
  clouds.forEach(({ mean }, k) => middles.set(mean, k * dims));
  return pure((xt, t) =>
    tf.tidy(() => {
      if (xt.size / xt.shape[0] !== dims) {
        throw new Error(`xt has shape [${xt.shape}], but the oracle's data have ${dims} numbers a sample.`);
      }
      const at = (table: Float32Array, ...shape: number[]): tf.Tensor =>
        tf.gather(tf.tensor(table.slice(), [schedule.T, ...shape]), t);
      const means = tf.tensor3d(middles.slice(), [1, clouds.length, dims]);
      const logWeights = tf.tensor2d([clouds.map(({ weight }) => Math.log(weight))]);
      // All [B, K, D]; where the spread is common, its tables have one row for all k.
      const distance = xt.reshape([-1, 1, dims]).sub(means.mul(gatherSchedule(tables.scale, t, 3)));
      const u = axes ? turn(distance, axes, true) : distance;
      const pull = u.mul(at(tables.precision, spreads.length, dims));
      const exponent = u.mul(pull).sum(2).mul(-0.5);
      const shares = tf.softmax(exponent.add(at(tables.logSize, spreads.length)).add(logWeights));
      const force = axes ? turn(pull, axes, false) : pull;
      const mean = force.mul(shares.expandDims(2)).sum(1);
      return mean.mul(gatherSchedule(tables.noise, t, 2)).reshape(xt.shape);
    }),
  );
}

/** For each t: scales, the variance of each spread along each axis inverted, and `-ln det V / 2` up to a number. */
function tablesOf(spreads: readonly Spread[], { abar, oneMinusAbar }: Schedule) {
  const variances = Array.from(abar, (a, t) =>
    spreads.map((spread) => spread.variances.map((variance) => a * variance + oneMinusAbar[t])),
  );
  return {
    scale: Array.from(abar, Math.sqrt),
    noise: Array.from(oneMinusAbar, Math.sqrt),
    precision: Float32Array.from(variances.flat(2), (variance) => 1 / variance),
    logSize: Float32Array.from(
      variances.flatMap((rows) => {
        const sizes = rows.map((row) => -0.5 * row.reduce((sum, variance) => sum + Math.log(variance), 0));
        const most = Math.max(...sizes);
        return sizes.map((size) => size - most);
      }),
    ),
  };
}

/** Vectors `[B, K, D]` into the axes of their clouds, or back. */
function turn(x: tf.Tensor, axes: readonly (readonly (readonly number[])[])[], into: boolean): tf.Tensor {
  const matrices = tf.tensor4d([axes.map((rows) => rows.map((row) => [...row]))]);
  return tf.matMul(x.expandDims(2), matrices, false, into).squeeze([2]);
}
