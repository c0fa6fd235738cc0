/** The error function and its tails, with all their digits also far out, where `1 - erf` would be 0. */
import { tf } from '../engine';

/** From here on the continued fraction needs at most `FRACTION_TERMS` terms, and below it `1 - erf` loses no digit. */
const TAIL = 1.5;
const FRACTION_TERMS = 100;

/**
 * `erf(x) = 2 / sqrt(pi) int_0^x exp(-s^2) ds`, to about 15 digits.
 *
 * @see DLMF 7.6.2, a series whose terms all have one sign
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size >= TAIL) return Math.sign(x) * (1 - Math.exp(lnErfcx(size) - size * size));
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * `ln(exp(x^2) erfc(x))` for x >= 0: the logarithm of the upper tail without its fast factor, so that
 * `ln erfc(x) = lnErfcx(x) - x^2` holds its digits at any distance.
 *
 * @see DLMF 7.9.2, the continued fraction of erfc
 */
export function lnErfcx(x: number): number {
  if (x < TAIL) return x * x + Math.log(1 - erf(x));
  let fraction = x;
  for (let n = FRACTION_TERMS; n >= 1; n--) fraction = x + n / 2 / fraction;
  return -Math.log(fraction * Math.sqrt(Math.PI));
}

/** Chebyshev polynomials of `lnErfcx(z) + ln(1 + sqrt(pi) z)` in `w = (z - MIDDLE) / (z + MIDDLE)`: to 2e-8 for all z >= 0. */
const DEGREE = 12;
const MIDDLE = 1.5;
const coefficients = chebyshev(DEGREE, (w) => {
  const z = (MIDDLE * (1 + w)) / (1 - w);
  return lnErfcx(z) + Math.log1p(Math.sqrt(Math.PI) * z);
});

/** The coefficients of a function on (-1, 1) in Chebyshev polynomials, from its values at the zeros of a higher one. */
function chebyshev(degree: number, f: (w: number) => number): number[] {
  const angles = Array.from({ length: 4 * degree }, (_, i) => (Math.PI * (i + 0.5)) / (4 * degree));
  return Array.from({ length: degree + 1 }, (_, j) => {
    const sum = angles.reduce((total, angle) => total + f(Math.cos(angle)) * Math.cos(j * angle), 0);
    return (sum * (j === 0 ? 1 : 2)) / angles.length;
  });
}

/** `lnErfcx` of each value, all at least 0, in float32 and differentiable; shaped as z, and the caller's. */
export function lnErfcxOf(z: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const twice = tf.mul(tf.div(tf.sub(z, MIDDLE), tf.add(z, MIDDLE)), 2);
    // Clenshaw's recurrence.
    let [now, before] = [tf.zerosLike(z), tf.zerosLike(z)];
    for (let j = DEGREE; j >= 1; j--) {
      [now, before] = [tf.add(tf.sub(tf.mul(twice, now), before), coefficients[j]), now];
    }
    const value = tf.add(tf.sub(tf.div(tf.mul(twice, now), 2), before), coefficients[0]);
    return tf.sub(value, tf.log1p(tf.mul(z, Math.sqrt(Math.PI))));
  });
}
