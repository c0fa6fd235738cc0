/** Density and best guesses of a sum of clouds under noise, on float64 numbers. */
import { along, back, type Cloud } from './clouds';
import type { OracleValues } from './oracle';

/** How much is left of the signal's variance, and how much noise there is. */
export interface NoiseLevel {
  /** 0..1. */
  abar: number;
  /** `1 - abar`, with all its digits. */
  oneMinusAbar: number;
}

/** One cloud at x: how far off its middle, its variance there, and `ln w_k N(x; ...)`. */
function relation({ weight, mean, spread }: Cloud, { abar, oneMinusAbar }: NoiseLevel, x: ArrayLike<number>) {
  const scale = Math.sqrt(abar);
  const distance = along(
    spread,
    mean.map((m, i) => x[i] - scale * m),
  );
  const variances = spread.variances.map((variance) => abar * variance + oneMinusAbar);
  const logWeighted = distance.reduce(
    (sum, u, i) => sum - 0.5 * (u ** 2 / variances[i] + Math.log(2 * Math.PI * variances[i])),
    Math.log(weight),
  );
  return { distance, variances, logWeighted };
}

/** ln of a sum of exponentials, without overflow. */
function logSumExp(values: readonly number[]): number {
  const max = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return max === -Infinity
    ? max
    : max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
}

/** `ln q(x)` at a level of noise, nats. */
export function logDensityOf(clouds: readonly Cloud[], level: NoiseLevel, x: ArrayLike<number>): number {
  return logSumExp(clouds.map((cloud) => relation(cloud, level, x).logWeighted));
}

/**
 * All that is known about x at a level of noise above 0: each cloud's answer, weighted by its share.
 *
 * Of one cloud, along its axes with u the distance and V the variance: the score is `-u / V`, and x_0 on average
 * `mu + sqrt(abar) S u / V`.
 */
export function valuesOf(clouds: readonly Cloud[], level: NoiseLevel, x: ArrayLike<number>): OracleValues {
  const relations = clouds.map((cloud) => relation(cloud, level, x));
  const logDensity = logSumExp(relations.map(({ logWeighted }) => logWeighted));
  const shares = relations.map(({ logWeighted }) => Math.exp(logWeighted - logDensity));
  const scale = Math.sqrt(level.abar);
  const noise = Math.sqrt(level.oneMinusAbar);
  const score = clouds[0].mean.map(() => 0);
  const x0 = clouds[0].mean.map(() => 0);
  clouds.forEach(({ mean, spread }, k) => {
    if (shares[k] === 0) return;
    const { distance, variances } = relations[k];
    const pull = distance.map((u, i) => u / variances[i]);
    const toScore = back(spread, pull);
    const toX0 = back(
      spread,
      pull.map((value, i) => scale * spread.variances[i] * value),
    );
    mean.forEach((m, i) => {
      score[i] -= shares[k] * toScore[i];
      x0[i] += shares[k] * (m + toX0[i]);
    });
  });
  const eps = score.map((value) => -noise * value);
  const v = eps.map((value, i) => scale * value - noise * x0[i]);
  return { logDensity, score, x0, eps, v, shares };
}
