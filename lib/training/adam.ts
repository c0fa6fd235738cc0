/** Adam on the packed parameters. */
import { tf } from '../engine';
import { assignPacked, pack, packGradients } from './packing';

export interface AdamOptions {
  /** Decay of the mean of the gradients, default 0.9. */
  beta1?: number;
  /** Decay of the mean of their squares, default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment, default 1e-8 (PyTorch's; TensorFlow.js takes 1e-7). */
  epsilon?: number;
  /** Gradients whose norm over all parameters is larger are scaled down to it; default: no limit. */
  clipNorm?: number;
}

/**
 * Adam (Kingma & Ba 2014, arXiv 1412.6980, algorithm 1) with bias correction.
 *
 * The moments of all parameters lie in one vector each, in the order of `variables`, which is fixed for the life of
 * the optimiser. It owns the moments; the variables stay their model's.
 */
export class Adam {
  /** Updates made so far. */
  step = 0;
  readonly firstMoment: tf.Variable<tf.Rank.R1>;
  readonly secondMoment: tf.Variable<tf.Rank.R1>;
  private readonly options: Required<AdamOptions>;

  /** @throws when a decay is not in [0, 1), or epsilon or clipNorm is not above 0. */
  constructor(
    private readonly variables: tf.Variable[],
    options: AdamOptions = {},
  ) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, clipNorm = Infinity } = options;
    for (const [name, value] of Object.entries({ beta1, beta2 })) {
      if (!(value >= 0 && value < 1))
        throw new Error(`${name} = ${value}: use a number in [0, 1), such as 0.9.`);
    }
    for (const [name, value] of Object.entries({ epsilon, clipNorm })) {
      if (!(value > 0)) throw new Error(`${name} = ${value}: use a number above 0.`);
    }
    this.options = { beta1, beta2, epsilon, clipNorm };
    const size = variables.reduce((sum, variable) => sum + variable.size, 0);
    const zeros = (): tf.Variable<tf.Rank.R1> => tf.tidy(() => tf.variable(tf.zeros([size]), false));
    this.firstMoment = zeros();
    this.secondMoment = zeros();
  }

  /**
   * One update: `gradients` by variable name, as `tf.variableGrads` returns them (they stay the caller's).
   *
   * @throws when a variable has no gradient: the loss does not depend on it.
   */
  update(gradients: tf.NamedTensorMap, learningRate: number): void {
    tf.tidy(() => this.updatePacked(packGradients(this.variables, gradients), learningRate));
  }

  /** The same from one vector, in the order of the variables; it stays the caller's. */
  updatePacked(packed: tf.Tensor1D, learningRate: number): void {
    const { rate, epsilon } = this.numbers(learningRate);
    tf.tidy(() => this.apply(packed, { rate: tf.scalar(rate), epsilon: tf.scalar(epsilon) }));
    this.step += 1;
  }

  /**
   * The two numbers of the next update. The corrections of both moments are taken out of the vectors:
   * `lr mHat / (sqrt(vHat) + eps) = rate m / (sqrt(v) + epsilon)`.
   */
  numbers(learningRate: number): { rate: number; epsilon: number } {
    const { beta1, beta2, epsilon } = this.options;
    const n = this.step + 1;
    const correction = Math.sqrt(1 - beta2 ** n);
    return {
      rate: (learningRate * correction) / (1 - beta1 ** n),
      epsilon: epsilon * correction,
    };
  }

  /** The update itself, on tensors alone, so that it can be compiled and without counting it; the numbers as scalars. */
  apply(packed: tf.Tensor1D, { rate, epsilon }: { rate: tf.Tensor; epsilon: tf.Tensor }): void {
    const { beta1, beta2, clipNorm } = this.options;
    tf.tidy(() => {
      let gradient = packed;
      if (clipNorm < Infinity) {
        const norm = tf.sqrt(tf.sum(tf.square(gradient)));
        gradient = tf.mul(gradient, tf.minimum(tf.div(clipNorm, tf.add(norm, 1e-6)), 1));
      }
      const m = tf.add<tf.Tensor1D>(tf.mul(this.firstMoment, beta1), tf.mul(gradient, 1 - beta1));
      const v = tf.add<tf.Tensor1D>(tf.mul(this.secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      this.firstMoment.assign(m);
      this.secondMoment.assign(v);
      const change = tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon)), rate);
      assignPacked(this.variables, tf.sub(pack(this.variables), change));
    });
  }

  dispose(): void {
    this.firstMoment.dispose();
    this.secondMoment.dispose();
  }
}
