/** Small networks that read a noisy sample and its step, and say what the way back needs to know. */
import { pure } from '../compile';
import { tf, type Generator } from '../engine';
import { dense, Parameters, silu } from '../nn';

/** `x [B, D]` and `t [B]` (int32) to `[B, outputs]`; it begins by saying 0, and the caller owns the result. */
export interface ReverseNet {
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly parameterCount: number;
  readonly predict: (x: tf.Tensor, t: tf.Tensor1D) => tf.Tensor;
  dispose(): void;
}

/** What a reverse model asks of its network. */
export interface NetSize {
  /** Numbers in a sample, and numbers to be said about it. */
  inputs: number;
  outputs: number;
  /** Number of steps. */
  T: number;
  generator: Generator;
}

/** Makes the network that a reverse model asks for. */
export type MakeNet = (size: NetSize) => ReverseNet;

function checkCounts(counts: Record<string, number>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new Error(`${name} = ${value}: use a whole number of at least 1.`);
  }
}

function netOf(parameters: Parameters, predict: ReverseNet['predict']): ReverseNet {
  return {
    parameters: parameters.all,
    parameterCount: parameters.count,
    predict: pure((x, t) => tf.tidy(() => predict(x, t))),
    dispose: () => parameters.dispose(),
  };
}

/**
 * A normalised radial basis function network with a read-out of its own for each step:
 * `sum_k phi_k(x) W_t[k] + b_t`, `phi = softmax_k(-|x - c_k|^2 / (2 w_k^2))`; centres and widths are learned.
 *
 * @param options.units number of basis functions, 16 by default
 * @throws when units is no whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), appendix D.1.1
 */
export function radialBasis(options: { units?: number } = {}): MakeNet {
  const { units = 16 } = options;
  checkCounts({ units });
  return ({ inputs, outputs, T, generator }) => {
    const parameters = Parameters.create(generator);
    const centres = parameters.normal('centres', [units, inputs], 1) as tf.Variable<tf.Rank.R2>;
    const logWidths = parameters.constant('logWidths', [units], Math.log(0.5));
    const weights = parameters.constant('weights', [T, units, outputs], 0);
    const bias = parameters.constant('bias', [T, outputs], 0);
    return netOf(parameters, (x, t) => {
      const apart = tf.sub(tf.reshape(x, [-1, 1, inputs]), tf.reshape(centres, [1, units, inputs]));
      const distance = tf.div(tf.sum(tf.square(apart), 2), tf.mul(tf.exp(tf.mul(logWidths, 2)), 2));
      const phi = tf.reshape(tf.softmax(tf.neg(distance)), [-1, units, 1]);
      return tf.add(tf.sum(tf.mul(tf.gather(weights, t), phi), 1), tf.gather(bias, t));
    });
  };
}

export interface PerceptronOptions {
  /** Default 64. */
  width?: number;
  /** Residual blocks, default 3. */
  depth?: number;
  /**
   * Let it read x as so many waves instead, `sin(w x)` and `cos(w x)` with learned w, so that it can draw fine lines;
   * default none.
   */
  waves?: number;
  /** Standard deviation of the first w, default 3: waves about as long as the data are wide. */
  waveScale?: number;
}

/** Gaussian bumps over the steps, by which the network tells them apart. */
const BUMPS = 10;

/** `[B]` steps to `[B, 10]`: how close each is to ten places between the first and the last step. */
function stepBumps(t: tf.Tensor1D, T: number): tf.Tensor {
  const place = tf.mul(tf.reshape(tf.cast(t, 'float32'), [-1, 1]), (BUMPS - 1) / Math.max(1, T - 1));
  const centres = tf.tensor2d(Array.from({ length: BUMPS }, (_, i) => i), [1, BUMPS]); // prettier-ignore
  return tf.exp(tf.mul(tf.square(tf.sub(place, centres)), -0.6));
}

/**
 * A multilayer perceptron that sees the step as ten Gaussian bumps over t, shared by all steps; what it says in step t is
 * scaled by learned numbers of that step.
 *
 *     dense -> [h + dense(silu(dense(silu(h)) + dense(bumps)))] x depth -> dense -> x exp(scale_t)
 *
 * @throws when width, depth or waves is no whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), appendix D.2.1, for the bumps
 */
export function perceptron(options: PerceptronOptions = {}): MakeNet {
  const { width = 64, depth = 3, waves = 0, waveScale = 3 } = options;
  checkCounts({ width, depth, ...(waves !== 0 && { waves }) });
  return ({ inputs, outputs, T, generator }) => {
    const parameters = Parameters.create(generator);
    const frequencies = waves > 0 && parameters.normal('waves', [inputs, waves], waveScale);
    const read = (waves > 0 ? 2 * waves : inputs) + BUMPS;
    const input = dense(parameters.scope('input'), { inputs: read, outputs: width });
    const blocks = Array.from({ length: depth }, (_, i) => {
      const scope = parameters.scope(`block${i}`);
      return {
        dense1: dense(scope.scope('dense1'), { inputs: width, outputs: width }),
        time: dense(scope.scope('time'), { inputs: BUMPS, outputs: width }),
        dense2: dense(scope.scope('dense2'), { inputs: width, outputs: width }),
      };
    });
    const output = dense(parameters.scope('output'), { inputs: width, outputs, zeroInit: true });
    const scales = parameters.constant('scales', [T, outputs], 0);
    return netOf(parameters, (x, t) => {
      const bumps = stepBumps(t, T);
      const angles = frequencies
        ? tf.matMul(x as tf.Tensor2D, frequencies as tf.Variable<tf.Rank.R2>)
        : undefined;
      const seen = angles ? tf.concat([tf.sin(angles), tf.cos(angles)], 1) : x;
      let h = input(tf.concat([seen, bumps], 1));
      for (const { dense1, time, dense2 } of blocks) {
        h = tf.add(h, dense2(silu(tf.add(dense1(silu(h)), time(bumps)))));
      }
      return tf.mul(output(silu(h)), tf.exp(tf.gather(scales, t)));
    });
  };
}
