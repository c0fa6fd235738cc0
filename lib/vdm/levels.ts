/**
 * Levels of noise by their log-SNR, on float64 numbers.
 *
 * | here               | paper (arXiv 2107.00630)                                                            |
 * |--------------------|-------------------------------------------------------------------------------------|
 * | `gamma`            | `gamma = -ln SNR`; small is little noise (-13.3), large is much (5)                 |
 * | `alphaOf(gamma)`   | `alpha = sqrt(sigmoid(-gamma))`, the weight of x; its square is `abar` elsewhere    |
 * | `sigmaOf(gamma)`   | `sigma = sqrt(sigmoid(gamma))`, the weight of eps; its square is `1 - abar`         |
 * | `zt`               | `z_t = alpha x + sigma eps`, what is called x_t elsewhere: x itself is no level here |
 * | `t`                | time in [0, 1], continuous; z_0 has a little noise, z_1 is nearly nothing but noise |
 */

/** `sigmoid(x)`, with all its digits where it is small. */
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Weight of the sample in `z = alpha x + sigma eps`: `sqrt(sigmoid(-gamma))`. @see Kingma et al. 2021, eq. 4 */
export function alphaOf(gamma: number): number {
  return Math.sqrt(sigmoid(-gamma));
}

/** Weight of the noise in `z = alpha x + sigma eps`: `sqrt(sigmoid(gamma))`. @see Kingma et al. 2021, eq. 3 */
export function sigmaOf(gamma: number): number {
  return Math.sqrt(sigmoid(gamma));
}

/** The level of noise at which a share `abar` of the variance is signal: `gamma = ln((1 - abar) / abar)`. */
export function gammaOf(abar: number): number {
  if (!(abar > 0 && abar < 1)) {
    throw new Error(`abar is ${abar}: a level of noise has an abar between 0 and 1, both excluded.`);
  }
  return Math.log1p(-abar) - Math.log(abar);
}

/** Throws unless two levels of noise are finite and the first has less noise. */
export function assertEnds(low: number, high: number, names: readonly [string, string]): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return;
  throw new Error(
    `${names[0]} is ${low} and ${names[1]} is ${high}: both must be numbers, and the first, with less noise, the smaller.`,
  );
}

/** The numbers of one ancestral step: `z_s = zt z_t + eps epsHat + z noise`. */
export interface AncestralCoefficients {
  zt: number;
  eps: number;
  /** Of fresh standard normal noise. */
  z: number;
}

/**
 * From level `gammaT` back to `gammaS < gammaT`, with `c = -expm1(gammaS - gammaT)`:
 * `z_s = alpha_s / alpha_t (z_t - sigma_t c epsHat) + sigma_s sqrt(c) noise`.
 *
 * The posterior `q(z_s | z_t, x)` with x as epsHat implies it; `expm1` keeps the digits of short steps.
 *
 * @throws Error unless gammaS < gammaT
 * @see Kingma et al. 2021, appendix A
 */
export function ancestralCoefficients(o: { gammaS: number; gammaT: number }): AncestralCoefficients {
  const { gammaS, gammaT } = o;
  assertEnds(gammaS, gammaT, ['gammaS', 'gammaT']);
  const c = -Math.expm1(gammaS - gammaT);
  const ratio = alphaOf(gammaS) / alphaOf(gammaT);
  return { zt: ratio, eps: -ratio * sigmaOf(gammaT) * c, z: sigmaOf(gammaS) * Math.sqrt(c) };
}
