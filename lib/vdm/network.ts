/** Networks that read the level of noise itself. */
import { isPure, pure } from '../compile';
import type { Denoiser } from '../diffusion';
import { tf, type Generator } from '../engine';
import { checkExponents, dense, fourierFeatures, Parameters, silu } from '../nn';
import { assertEnds } from './levels';
import { PAPER_ENDS } from './schedule';
import type { GammaDenoiser } from './tensors';

/** What training needs of a network. */
export interface VdmNetwork {
  /** Trainable variables by path; owned by the network. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** The noise that the network sees in `zt [B, ...]` at levels `gamma [B]`; the caller owns the result. */
  readonly predict: GammaDenoiser;
}

export interface VdmMlpOptions {
  /** Coordinates of a point. */
  dims: number;
  /** Size of the hidden layers, default 128. */
  width?: number;
  /** Residual blocks of two layers, default 3. */
  depth?: number;
  /** Exponents of the waves of each coordinate (`fourierFeatures`), default 7 and 8; none if empty. */
  exponents?: readonly number[];
  /** The levels between which gamma lies, roughly: they become -1/2 and 1/2 for the network. The paper's by default. */
  gammaRange?: readonly [number, number];
  generator: Generator;
}

/** Waves of the level of noise, from one half period over the range to 16 periods. */
const LEVEL_EXPONENTS = [0, 1, 2, 3, 4, 5];

function checkOptions({
  dims,
  width,
  depth,
  exponents,
  gammaRange,
}: Required<Omit<VdmMlpOptions, 'generator'>>) {
  for (const [name, value] of Object.entries({ dims, width, depth })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) {
      throw new Error(`${name} is ${value}: use a whole number of at least 1.`);
    }
  }
  if (exponents.length > 0) checkExponents(exponents);
  assertEnds(gammaRange[0], gammaRange[1], ['gammaRange[0]', 'gammaRange[1]']);
}

/**
 * An MLP that predicts eps from points `zt [B, dims]` and levels `gamma [B]`; the caller disposes it. It says
 * `epsHat = zt + output`, and its last layer starts at 0: it begins by taking all for noise, which is right at high levels.
 *
 *     [zt, waves of zt] -> dense -> [x + dense(silu(dense(silu(x)) + level))] x depth -> dense -> + zt
 *
 * @throws Error if an option is out of range; `predict` throws for points of another dimension
 * @see Kingma et al. 2021 (arXiv 2107.00630), section "Noise prediction model and Fourier features"
 */
export function vdmMlp(options: VdmMlpOptions): VdmNetwork & { parameterCount: number; dispose(): void } {
  const { dims, width = 128, depth = 3, exponents = [7, 8], generator } = options;
  const { gammaRange = [PAPER_ENDS.gammaMin, PAPER_ENDS.gammaMax] } = options;
  checkOptions({ dims, width, depth, exponents, gammaRange });
  const [low, high] = gammaRange;
  const parameters = Parameters.create(generator);
  const inputs = dims * (1 + 2 * exponents.length);
  const input = dense(parameters.scope('input'), { inputs, outputs: width });
  const blocks = Array.from({ length: depth }, (_, i) => {
    const scope = parameters.scope(`block${i}`);
    return {
      dense1: dense(scope.scope('dense1'), { inputs: width, outputs: width }),
      level: dense(scope.scope('level'), { inputs: 1 + 2 * LEVEL_EXPONENTS.length, outputs: width }),
      dense2: dense(scope.scope('dense2'), { inputs: width, outputs: width }),
    };
  });
  const output = dense(parameters.scope('output'), { inputs: width, outputs: dims, zeroInit: true });

  return {
    parameters: parameters.all,
    parameterCount: parameters.count,
    predict: pure((zt, gamma) => {
      if (zt.rank !== 2 || zt.shape[1] !== dims) {
        throw new Error(`zt has shape [${zt.shape}], but this network reads points [B, ${dims}].`);
      }
      return tf.tidy(() => {
        const place = tf.sub(tf.div(tf.sub(gamma, low), high - low), 0.5);
        const level = fourierFeatures(tf.expandDims(place, 1), LEVEL_EXPONENTS);
        let x = input(exponents.length > 0 ? fourierFeatures(zt, exponents) : zt);
        for (const { dense1, level: shift, dense2 } of blocks) {
          const h = tf.add(dense1(silu(x)), shift(level));
          x = tf.add(x, dense2(silu(h)));
        }
        return tf.add(output(silu(x)), zt);
      });
    }),
    dispose: () => parameters.dispose(),
  };
}

/** A tensor made from others through which no gradient goes back: on the tape it comes from nowhere. */
const apart = (make: () => tf.Tensor): tf.Tensor =>
  tf.customGrad(() => ({ value: make(), gradFunc: () => [] }))();

/**
 * A network that counts steps (the U-Net) as one that reads levels: gamma becomes the nearest of `steps` evenly spread steps
 * 0..steps-1 between the ends. Declared `pure` if the network is.
 *
 * A gradient by gamma goes through zt alone, not through the step: for learned ends that is a good approximation, as the
 * network hardly changes from one step to the next.
 *
 * @throws Error if the ends or steps do not fit
 */
export function byLevel(
  denoiser: Denoiser,
  o: { gammaRange?: readonly [number, number]; steps?: number } = {},
): GammaDenoiser {
  const { gammaRange = [PAPER_ENDS.gammaMin, PAPER_ENDS.gammaMax], steps = 1000 } = o;
  const [low, high] = gammaRange;
  assertEnds(low, high, ['gammaRange[0]', 'gammaRange[1]']);
  if (!(Number.isSafeInteger(steps) && steps >= 2)) {
    throw new Error(`steps is ${steps}: use a whole number of at least 2.`);
  }
  const wrapped: GammaDenoiser = (zt, gamma) =>
    tf.tidy(() => {
      const step = apart(() => {
        const place = tf.round(tf.mul(tf.sub(gamma, low), (steps - 1) / (high - low)));
        return tf.cast(tf.minimum(tf.maximum(place, 0), steps - 1), 'int32');
      });
      return denoiser(zt, step as tf.Tensor1D);
    });
  return isPure(denoiser) ? pure(wrapped) : wrapped;
}
