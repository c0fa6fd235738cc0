/** Self-attention over the pixels of a small map. */
import { tf } from '../engine';
import { groupNorm } from './groupNorm';
import { conv2d, type Layer } from './layers';
import type { Parameters } from './parameters';

/**
 * Residual self-attention: `x + W_o softmax(q k^T / sqrt(d)) v` with q, k, v linear in `groupNorm(x)`; each pixel may read
 * from every other (Vaswani et al. 2017, eq. 1). `x [B, H, W, C]` keeps its shape; the output projection starts at 0.
 *
 * q and k are each scaled by `d^(-1/4)`, so that no large number appears before the softmax.
 */
export function selfAttention(parameters: Parameters, options: { channels: number; heads?: number }): Layer {
  const { channels, heads = 1 } = options;
  if (channels % heads !== 0) throw new Error(`heads = ${heads} does not divide ${channels} channels.`);
  const headSize = channels / heads;
  const normalise = groupNorm(parameters.scope('norm'), { channels });
  const project = (name: string, zeroInit = false): Layer =>
    conv2d(parameters.scope(name), { inChannels: channels, outChannels: channels, kernelSize: 1, zeroInit });
  const [query, key, value, output] = [
    project('query'),
    project('key'),
    project('value'),
    project('output', true),
  ];
  return (x) =>
    tf.tidy(() => {
      const [batch, height, width] = x.shape;
      // Exchanging a dimension of 1 moves nothing.
      const exchange = (y: tf.Tensor, shape: number[]): tf.Tensor =>
        heads === 1 ? y : tf.transpose(tf.reshape(y, shape), [0, 2, 1, 3]);
      const split = (y: tf.Tensor): tf.Tensor =>
        tf.reshape(exchange(y, [batch, height * width, heads, headSize]), [
          batch,
          heads,
          height * width,
          headSize,
        ]);
      const h = normalise(x);
      const scale = headSize ** -0.25;
      const logits = tf.matMul(tf.mul(split(query(h)), scale), tf.mul(split(key(h)), scale), false, true);
      const mixed = tf.matMul(tf.softmax(logits), split(value(h)));
      const merged = tf.reshape(exchange(mixed, mixed.shape), [batch, height, width, channels]);
      return tf.add(x, output(merged));
    });
}
