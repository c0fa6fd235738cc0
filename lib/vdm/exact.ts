/** The diffusion loss as a sum or an integral, on float64 numbers, where the error of the noise is known at every level. */
import { assertEnds } from './levels';
import { assertSteps, stepOfTime } from './times';

/** Mean of `|eps - epsHat|^2` at a level of noise: a sum over all coordinates. */
export type ErrorCurve = (gamma: number) => number;

/** Nodes and weights of Gauss and Legendre on [-1, 1]. */
const GAUSS = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
].flatMap(([x, w]) => [
  [-x, w],
  [x, w],
]);

/** A cosine schedule turns sharply at its lowest levels. */
const PIECES = 2000;

/** `integral of f over [a, b]` by `pieces` equal pieces of 8 nodes each. */
function integral(f: (x: number) => number, a: number, b: number, pieces: number): number {
  const half = (b - a) / pieces / 2;
  let sum = 0;
  for (let k = 0; k < pieces; k++) {
    const middle = a + (2 * k + 1) * half;
    for (const [node, weight] of GAUSS) sum += weight * f(middle + half * node);
  }
  return sum * half;
}

/**
 * The continuous loss through time, `1/2 integral of gamma'(t) error(gamma(t)) dt`, nats.
 *
 * @param o.at gamma and its slope at t, as of `fixedGamma`
 * @see Kingma et al. 2021 (arXiv 2107.00630), eq. 17
 */
export function lossOverTime(o: {
  at: (t: number) => { gamma: number; slope: number };
  error: ErrorCurve;
  pieces?: number;
}): number {
  const integrand = (t: number): number => {
    const { gamma, slope } = o.at(t);
    return slope * o.error(gamma);
  };
  return integral(integrand, 0, 1, o.pieces ?? PIECES) / 2;
}

/**
 * The same through the level of noise, `1/2 integral of error(gamma) dgamma`, nats: the path between the ends does not occur
 * in it.
 *
 * @throws Error unless gammaMin < gammaMax
 * @see Kingma et al. 2021 (arXiv 2107.00630), eq. 18, there by the SNR
 */
export function lossOverGamma(o: {
  gammaMin: number;
  gammaMax: number;
  error: ErrorCurve;
  pieces?: number;
}): number {
  assertEnds(o.gammaMin, o.gammaMax, ['gammaMin', 'gammaMax']);
  return integral(o.error, o.gammaMin, o.gammaMax, o.pieces ?? PIECES) / 2;
}

/**
 * The loss of T steps, `1/2 sum of expm1(gamma_t - gamma_s) error(gamma_t)`, nats; tends to `lossOverTime` from above.
 *
 * @throws Error if T is no whole number of at least 1
 * @see Kingma et al. 2021 (arXiv 2107.00630), eqs. 13 and 14
 */
export function lossOfSteps(o: {
  at: (t: number) => { gamma: number };
  error: ErrorCurve;
  T: number;
}): number {
  const { at, error, T } = o;
  assertSteps(T);
  let sum = 0;
  for (let i = 0; i < T; i++) {
    const { s, t } = stepOfTime((i + 0.5) / T, T);
    const gamma = at(t).gamma;
    sum += Math.expm1(gamma - at(s).gamma) * error(gamma);
  }
  return sum / 2;
}

/** `E|eps - E[eps | z]|^2 = sum v / (v + e^gamma)` for data that are Gaussian with variances v along their axes. */
export function gaussianError(variances: readonly number[]): ErrorCurve {
  const wrong = variances.findIndex((variance) => !(variance >= 0 && variance < Infinity));
  if (wrong >= 0 || variances.length === 0) {
    throw new Error(`variances are [${variances}]: give one number of at least 0 for each axis.`);
  }
  return (gamma) => variances.reduce((sum, v) => sum + v / (v + Math.exp(gamma)), 0);
}
