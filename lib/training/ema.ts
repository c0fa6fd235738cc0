/** Exponential moving average of the weights: what one samples from. */
import { tf } from '../engine';
import { pack } from './packing';

/**
 * `ema <- d ema + (1 - d) theta` after each step, with `d = min(decay, (1 + n) / (10 + n))` at the n-th update, so that
 * the first, useless weights are forgotten fast. Float32, trainable parameters only. It owns its vector.
 */
export class Ema {
  /** Updates made so far. */
  step = 0;
  /** The averaged parameters, packed in the order of the variables. */
  readonly packed: tf.Variable<tf.Rank.R1>;

  /** @throws when `decay` is not in [0, 1). */
  constructor(
    private readonly variables: tf.Variable[],
    readonly decay: number,
  ) {
    if (!(decay >= 0 && decay < 1))
      throw new Error(`emaDecay = ${decay}: use a number in [0, 1), such as 0.999.`);
    this.packed = tf.tidy(() => tf.variable(pack(variables), false));
  }

  update(): void {
    tf.tidy(() => this.apply(tf.scalar(this.share())));
    this.step += 1;
  }

  /** The share of the new weights in the next update, `1 - d`. */
  share(): number {
    const n = this.step + 1;
    return 1 - Math.min(this.decay, (1 + n) / (10 + n));
  }

  /** The update itself, on tensors alone, so that it can be compiled and without counting it; `share` as a scalar. */
  apply(share: tf.Tensor): void {
    tf.tidy(() => {
      const now = pack(this.variables);
      // In this form weights that stand still stay exactly; with decay 0 it would round, where a copy does not.
      const average = (): tf.Tensor1D => tf.add(this.packed, tf.mul(tf.sub(now, this.packed), share));
      this.packed.assign(this.decay === 0 ? now : average());
    });
  }

  dispose(): void {
    this.packed.dispose();
  }
}
