/** What both kinds of reverse models offer: to training, to the bound, and to sampling. */
import type { tf } from '../engine';

/** A forward process with a learned way back, `p(x_{t-1} | x_t)`. All tensors float32; what is returned is the caller's. */
export interface ReverseModel<Step = unknown> {
  readonly kind: 'gaussian' | 'binomial';
  /** Numbers in a sample. */
  readonly dims: number;
  readonly T: number;
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly parameterCount: number;
  /** x_t `[B, D]` from x0 `[B, D]`, steps `[B]` (int32) and noise `[B, D]`: standard normal, or uniform in [0, 1). */
  noised(x0: tf.Tensor, t: tf.Tensor1D, noise: tf.Tensor): tf.Tensor;
  /** What the model says of x_{t-1} given x_t `[B, D]`. */
  step(xt: tf.Tensor, t: tf.Tensor1D): Step;
  /** A draw of x_{t-1} from what the model says of it. */
  draw(step: Step, noise: tf.Tensor): tf.Tensor;
  /** A draw of x_T. */
  start(noise: tf.Tensor): tf.Tensor;
  /**
   * The term of step t in minus the bound, bits `[B]`: `KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))`, and for t = 0
   * `-log2 p(x_0 | x_1)`.
   */
  term(x0: tf.Tensor, xt: tf.Tensor, t: tf.Tensor1D): tf.Tensor1D;
  /** The term of x_T: `KL(q(x_T | x_0) || p(x_T))`, bits `[B]`. */
  priorTerm(x0: tf.Tensor): tf.Tensor1D;
  /** `log2 p(x_0)` of a model without any step, that takes samples for noise, bits `[B]`. */
  nullBits(x0: tf.Tensor): tf.Tensor1D;
  dispose(): void;
}

/** What the last step back, t = 0, is: the paper takes the forward step's own kernel, `N(sqrt(1 - beta) x, beta)`. */
export type LastStep = 'forward' | 'learned';

/** For each step 1 if the network speaks in it, and 0 where the kernel of the forward step is taken as it is. */
export function spokenSteps(T: number, lastStep: LastStep): number[] {
  return Array.from({ length: T }, (_, t) => (t === 0 && lastStep === 'forward' ? 0 : 1));
}

/** Throws unless a tensor holds samples of these many numbers. */
export function assertSamples(name: string, x: tf.Tensor, dims: number): void {
  if (x.rank === 2 && x.shape[1] === dims) return;
  throw new Error(`${name} has shape [${x.shape}], but this model is of samples [B, ${dims}].`);
}
