/** What a batch is looked at with: times and noise. */
import { tf, type Generator } from '../engine';
import { antitheticTimes } from './times';

/** Times evenly spread from one random number, or each with one of its own. */
export type TimeDraws = 'antithetic' | 'independent';

/** @throws Error unless times are drawn in a way that there is */
export function assertTimeDraws(times: TimeDraws): void {
  if (times === 'antithetic' || times === 'independent') return;
  throw new Error(`times is ${JSON.stringify(times)}: use 'antithetic' or 'independent'.`);
}

/** `[B]` times, and the noise of z_t and of z_0 for samples of the given shape `[B, ...]`; the caller owns them. */
export async function drawsFor(o: {
  generator: Generator;
  shape: number[];
  times: TimeDraws;
  firstSample?: number;
}): Promise<{ times: tf.Tensor1D; eps: tf.Tensor; eps0: tf.Tensor }> {
  const { generator, shape, firstSample = 0 } = o;
  const [count] = shape;
  const source = generator.fork('time');
  let times: tf.Tensor1D;
  if (o.times === 'independent') times = source.uniform([count], { firstSample }) as tf.Tensor1D;
  else {
    const one = source.uniform([1], { firstSample });
    const [u] = await one.data();
    one.dispose();
    times = tf.tensor1d(Float32Array.from(antitheticTimes({ u, count })));
  }
  const noise = (name: string): tf.Tensor => generator.fork(name).normal(shape, { firstSample });
  return { times, eps: noise('eps'), eps0: noise('eps0') };
}
