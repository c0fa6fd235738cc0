/** The way back, drawn. */
import { compile } from '../compile';
import { ready, tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';
import type { ReverseModel } from './model';
import { noiseOf } from './noise';

export interface ReverseChainOptions<Step> {
  model: ReverseModel<Step>;
  /** Number of chains. */
  count: number;
  /** The same generator gives the same chains. */
  generator: Generator;
  /**
   * Bends each step towards another distribution, as `multiplyGaussian` and `multiplyBinomial` do: x_{t-1} is drawn from what
   * it returns. Run op by op, within a tidy.
   */
  bend?: (step: Step, t: number) => Step;
  /** Ends the loop between two steps. Default: the button ■. */
  stop?: StopToken;
}

/**
 * Draws chains of the reverse process: yields x_T with `t = T`, and after each step t = T-1..0 the x_{t-1} that it made,
 * with that t. A yielded tensor `[count, D]` is valid until the next step.
 *
 * @throws Error if count is no whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.2; for `bend` section 2.5
 */
export async function* reverseChain<Step>(
  options: ReverseChainOptions<Step>,
): AsyncGenerator<{ t: number; x: tf.Tensor2D }> {
  const { model, count, generator, bend, stop = interruptToken } = options;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new Error(`count is ${count}: use a whole number of at least 1.`);
  }
  const plain = compile(
    (xt: tf.Tensor, t: tf.Tensor1D, noise: tf.Tensor) => tf.tidy(() => model.draw(model.step(xt, t), noise)),
    { name: 'reverse step' },
  );
  const next = async (xt: tf.Tensor, t: number): Promise<tf.Tensor> => {
    const noise = noiseOf(model, generator.fork('z', t), count);
    const steps = tf.fill<tf.Rank.R1>([count], t, 'int32');
    try {
      if (!bend) return await plain.async(xt, steps, noise);
      await new Promise(setImmediate);
      return tf.tidy(() => model.draw(bend(model.step(xt, steps), t), noise));
    } finally {
      tf.dispose([noise, steps]);
    }
  };
  await ready();
  let x = tf.tidy(() => model.start(noiseOf(model, generator.fork('x_T'), count)));
  try {
    yield { t: model.T, x: x as tf.Tensor2D };
    for (let t = model.T - 1; t >= 0 && !stop.stopped; t--) {
      const before = x;
      x = await next(before, t);
      before.dispose();
      yield { t, x: x as tf.Tensor2D };
    }
  } finally {
    x.dispose();
    plain.dispose();
  }
}

/**
 * Draws samples x_0: the end of `reverseChain`.
 *
 * @returns `[count, D]`, the caller's
 * @throws Error if count is no whole number of at least 1, or it was stopped
 */
export async function sampleReverse<Step>(options: ReverseChainOptions<Step>): Promise<tf.Tensor2D> {
  for await (const { t, x } of reverseChain(options)) if (t === 0) return x.clone();
  throw new Error('The chain was stopped before its end.');
}
