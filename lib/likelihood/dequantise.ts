/**
 * From grey levels to a density: `P(x)` of an image of levels is bounded by the density of the image with noise,
 *
 *     -ln P(x) <= E_q(y | x)[-ln p(y) + ln q(y | x) - ln P(x | y)]
 *
 * whatever the noise q. Uniform noise over the bin of a level suits a density that is smooth over bins. A model whose noise
 * begins far below a grey level has learned that data lie *on* levels: its density is a comb, and nearly 0 between the teeth.
 * There q is the noise of the model's own first step, and the two last terms together are the density of a comb of equally
 * likely teeth: `ln sum_l N(y; l, rho^2)` for each pixel, with `P(x | y)` proportional to `q(y | x)`.
 */
import { tf, type Generator } from '../engine';
import { BIN_WIDTH, GREY_LEVELS } from './decoder';

/** Noise of the first step, noise over the bin, or none: a density at x itself. */
export type Dequantisation = 'noise' | 'uniform' | 'none';

/** The image with noise, and per sample what comes to `-ln p(y)`, nats. */
export interface Dequantised {
  /** Shaped as x0; the caller owns it. */
  y: tf.Tensor;
  nats: number[];
}

/** Where uniform noise spreads a grey level. */
const ONE_BIN = { min: -BIN_WIDTH / 2, max: BIN_WIDTH / 2 };

/**
 * Spreads images of grey levels, for a density to be taken of.
 *
 * @param x0 grey levels in [-1, 1], `[B, H, W, C]`
 * @param o.rho standard deviation of 'noise', in the units of x0
 * @param o.first index of the first image, for the generator
 * @see Kingma et al. 2021 (arXiv 2107.00630), eqs. 4 and 6 (the decoder of levels); Theis et al. 2016 (arXiv 1511.01844),
 *   section 3.1 (uniform noise)
 */
export async function dequantise(
  kind: 'noise' | 'uniform',
  x0: tf.Tensor,
  o: { rho: number; generator: Generator; first: number },
): Promise<Dequantised> {
  const { rho, first } = o;
  const generator = o.generator.fork('dequantise');
  if (kind === 'uniform') {
    const dims = x0.size / x0.shape[0];
    const y = tf.tidy(() => tf.add(x0, generator.uniform(x0.shape, { ...ONE_BIN, firstSample: first })));
    return { y, nats: new Array<number>(x0.shape[0]).fill(-dims * Math.log(BIN_WIDTH)) };
  }
  const y = tf.tidy(() => tf.add(x0, tf.mul(generator.normal(x0.shape, { firstSample: first }), rho)));
  const sums = combLogDensity(y, rho);
  const nats = Array.from(await sums.data());
  sums.dispose();
  return { y, nats };
}

/**
 * `sum over pixels of ln sum_l N(y; l, rho^2)` for each image, `l` the 256 grey levels: the density of a comb whose teeth
 * weigh 1 each, nats.
 *
 * @param y `[B, H, W, C]`; needs memory for 256 numbers a pixel
 * @returns `[B]`; the caller owns it
 */
export function combLogDensity(y: tf.Tensor, rho: number): tf.Tensor1D {
  return tf.tidy(() => {
    const levels = tf.sub(tf.mul(tf.range(0, GREY_LEVELS), BIN_WIDTH), 1);
    const distances = tf.div(tf.sub(tf.expandDims(y, -1), levels), rho);
    const density = tf.logSumExp(tf.mul(tf.square(distances), -0.5), -1);
    const centred = tf.sub(density, Math.log(rho * Math.sqrt(2 * Math.PI)));
    return tf.sum(tf.reshape(centred, [y.shape[0], -1]), 1) as tf.Tensor1D;
  });
}
