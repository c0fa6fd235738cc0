/**
 * From a density to the probability of a grey level: the Gaussian of the last step back, integrated over the bin of each
 * of the 256 levels of an image in [-1, 1]. The two outer bins are open to infinity, so that the levels sum to 1.
 */
import { tf } from '../engine';
import { erf, lnErfcx, lnErfcxOf } from './normal';

/** Grey levels of an image: 0 is x = -1 and 255 is x = 1. */
export const GREY_LEVELS = 256;
/** Distance of two neighbouring levels in [-1, 1]. */
export const BIN_WIDTH = 2 / (GREY_LEVELS - 1);

const HALF = BIN_WIDTH / 2;

/** Mean and standard deviation of x_0, in the units of [-1, 1]. */
export interface PixelGaussian {
  mean: number;
  /** Above 0. */
  std: number;
}

/** Throws unless a standard deviation is a number above 0. */
export function assertStd(name: string, std: number): void {
  if (!(std > 0 && std < Infinity)) {
    throw new Error(`${name} is ${std}: a standard deviation must be a number above 0.`);
  }
}

/**
 * `ln P(level)`, nats: `ln(Phi((x + 1/255 - mean) / std) - Phi((x - 1/255 - mean) / std))` with x = level / 127.5 - 1,
 * the outer edges of levels 0 and 255 at infinity. Exact in the tails, where the difference of the two would be 0.
 *
 * @param level 0..255
 * @throws Error if level is no such number, mean is not finite or std not above 0
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 13
 */
export function decoderLogProbability(level: number, { mean, std }: PixelGaussian): number {
  if (!(Number.isInteger(level) && level >= 0 && level < GREY_LEVELS)) {
    throw new Error(`level is ${level}: grey levels are the whole numbers 0..${GREY_LEVELS - 1}.`);
  }
  if (!Number.isFinite(mean)) throw new Error(`mean is ${mean}: it must be a number.`);
  assertStd('std', std);
  const isTop = level === GREY_LEVELS - 1;
  const isEdge = isTop || level === 0;
  const distance = level / 127.5 - 1 - mean;
  // Seen from the mean the bin lies to the right, an open one always: left of 0 only the mirror image is in use.
  const turned = (isEdge ? isTop : distance >= 0) ? distance : -distance;
  const unit = std * Math.SQRT2;
  return lnBetween((turned - HALF) / unit, isEdge ? Infinity : (turned + HALF) / unit);
}

/** `ln((erf(high) - erf(low)) / 2)` for low < high that have their middle at 0 or above. */
function lnBetween(low: number, high: number): number {
  if (low < 0) return Math.log((erf(high) + erf(-low)) / 2);
  // ln erfc(low) - ln erfc(high), with the large squares subtracted before they can swallow the rest.
  const fall = (high - low) * (high + low) + lnErfcx(low) - lnErfcx(high);
  return lnErfcx(low) - low * low + Math.log(-Math.expm1(-fall)) - Math.LN2;
}

/** `ln P` of all 256 levels, nats; their probabilities sum to 1. @throws Error if mean or std does not fit */
export function decoderLogProbabilities(gaussian: PixelGaussian): Float64Array {
  return Float64Array.from({ length: GREY_LEVELS }, (_, level) => decoderLogProbability(level, gaussian));
}

/** Where an open bin ends on tensors, in the units of x: far beyond anything, and its square is still a float32. */
const OPEN = 1e6;

/**
 * `ln P` of each pixel, nats, in float32; differentiable by mean and std.
 *
 * @param o.x0 grey levels in [-1, 1], `[B, H, W, C]`
 * @param o.mean shaped as x0
 * @param o.std one number, or a tensor that broadcasts to x0; above 0
 * @returns shaped as x0; the caller owns it
 * @throws Error if the shapes differ, or a number std is not above 0
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 13
 */
export function decoderLogLikelihood<X extends tf.Tensor>(o: { x0: X; mean: X; std: number | tf.Tensor }): X {
  const { x0, mean, std } = o;
  if (String(x0.shape) !== String(mean.shape)) {
    throw new Error(`x0 has shape [${x0.shape}] and mean has shape [${mean.shape}]: they must be equal.`);
  }
  if (typeof std === 'number') assertStd('std', std);
  return tf.tidy(() => {
    // 0 or 1 by tf.step: comparisons have no gradient in TensorFlow.js, not even none.
    const isTop = tf.step(tf.sub(x0, 1 - HALF));
    const isBottom = tf.step(tf.sub(HALF - 1, x0));
    const isEdge = tf.add(isTop, isBottom);
    const distance = tf.sub(x0, mean);
    const turned = tf.add(
      tf.mul(tf.sub(isTop, isBottom), distance),
      tf.mul(tf.sub(1, isEdge), tf.abs(distance)),
    );
    const unit = tf.mul(std, Math.SQRT2);
    const low = tf.div(tf.sub(turned, HALF), unit);
    const high = tf.div(tf.add(tf.add(turned, HALF), tf.mul(isEdge, OPEN)), unit);
    const isAround = tf.step(tf.neg(low));
    const isBeyond = tf.sub(1, isAround);
    // Each gets 0 for low where the other one is taken, and is finite there: 0 times infinity would be NaN.
    const left = tf.mul(isAround, low);
    const around = tf.log(tf.div(tf.sub(tf.erf(high), tf.erf(left)), 2));
    const right = tf.mul(isBeyond, low);
    const tail = lnErfcxOf(right);
    const fall = tf.add(
      tf.mul(tf.sub(high, right), tf.add(high, right)),
      tf.sub(tail, lnErfcxOf(tf.relu(high))),
    );
    const beyond = tf.add(tf.sub(tail, tf.square(right)), tf.log(tf.neg(tf.expm1(tf.neg(fall)))));
    return tf.add(tf.mul(isAround, around), tf.mul(isBeyond, tf.sub(beyond, Math.LN2))) as X;
  });
}
