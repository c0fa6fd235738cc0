/**
 * A true U-Net: down, up, a skip at each level (Ronneberger et al. 2015, arXiv 1505.04597; for diffusion Ho et al. 2020,
 * appendix B).
 *
 *     input conv -> [blocks -> skip -> halve] x levels -> blocks + attention -> [double -> join skip -> block] -> output conv
 *
 * A block is GroupNorm, SiLU, conv, + time, GroupNorm, SiLU, conv, + its input. Last convolutions start at 0, so that the
 * network starts by predicting no noise and every block as the identity.
 */
import { pure } from '../compile';
import { tf, type Generator } from '../engine';
import {
  checkExponents,
  conv2d,
  dense,
  fourierFeatures,
  groupNorm,
  Parameters,
  selfAttention,
  silu,
  timeEmbedding,
  upsample2,
  type Layer,
} from '../nn';
import type { UnetConfig } from './config';
import type { Model } from './model';

export interface UnetOptions extends UnetConfig {
  generator: Generator;
}

type TimedLayer = (x: tf.Tensor, time: tf.Tensor) => tf.Tensor;

/** Residual block; `time [B, timeSize]` shifts the channels between the two convolutions. */
function residualBlock(
  parameters: Parameters,
  inChannels: number,
  outChannels: number,
  timeSize: number,
): TimedLayer {
  const norm1 = groupNorm(parameters.scope('norm1'), { channels: inChannels, activation: 'silu' });
  const conv1 = conv2d(parameters.scope('conv1'), { inChannels, outChannels });
  const shift = dense(parameters.scope('time'), { inputs: timeSize, outputs: outChannels });
  const norm2 = groupNorm(parameters.scope('norm2'), { channels: outChannels, activation: 'silu' });
  const conv2 = conv2d(parameters.scope('conv2'), {
    inChannels: outChannels,
    outChannels,
    zeroInit: true,
  });
  const shortcut: Layer =
    inChannels === outChannels
      ? (x) => x
      : conv2d(parameters.scope('shortcut'), { inChannels, outChannels, kernelSize: 1 });
  return (x, time) => {
    return tf.add(shortcut(x), conv2(norm2(conv1(norm1(x)), shift(time))));
  };
}

/** Everything is checked before the first parameter is made, so that a bad option leaves nothing behind. */
function checkOptions(options: UnetOptions): void {
  const {
    imageSize = 28,
    imageChannels = 1,
    channels = [],
    blocks = [],
    attention = [],
    heads = 1,
    timeDim = 32,
  } = options;
  if (channels.length === 0 || channels.length !== blocks.length) {
    throw new Error(
      `channels has ${channels.length} levels and blocks ${blocks.length}: give one number each per level.`,
    );
  }
  const counts = { imageSize, imageChannels, channels, heads, timeDim, blocks: blocks.map((n) => n + 1) };
  for (const [name, values] of Object.entries(counts)) {
    for (const value of [values].flat()) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      const given = JSON.stringify((options as unknown as Record<string, unknown>)[name]);
      throw new Error(`${name} = ${given}: use whole numbers of at least ${name === 'blocks' ? 0 : 1}.`);
    }
  }
  if (timeDim % 2 !== 0)
    throw new Error(`timeDim = ${timeDim}: use an even number, half sines and half cosines.`);
  const factor = 2 ** (channels.length - 1);
  if (imageSize % factor !== 0) {
    const next = Math.ceil(imageSize / factor) * factor;
    throw new Error(
      `imageSize = ${imageSize} cannot be halved ${channels.length - 1} times: pad the images to ${next}, or use fewer levels.`,
    );
  }
  if (options.fourier) checkExponents(options.fourier);
  for (const level of attention) {
    if (!(level in channels))
      throw new Error(`attention names level ${level}; the levels are 0 to ${channels.length - 1}.`);
    if (channels[level] % heads !== 0) {
      throw new Error(
        `heads = ${heads} does not divide the ${channels[level]} channels of level ${level}: use a divisor.`,
      );
    }
  }
}

/**
 * A U-Net that predicts eps from `xt [B, size, size, C]` and `t [B]` (int32); the caller disposes it.
 *
 * @throws when an option does not fit the others; `predict` throws for images of another size or a `t` that is not int32.
 */
export function unet(options: UnetOptions): Model {
  checkOptions(options);
  const {
    imageSize = 28,
    imageChannels = 1,
    channels,
    blocks,
    attention = [],
    heads = 1,
    skips = true,
    fourier,
    generator,
  } = options;
  // An embedding has as many sines as cosines, so an odd number of channels takes one more.
  const timeDim = options.timeDim ?? Math.max(32, channels[0] + (channels[0] % 2));
  const timeSize = 4 * timeDim;
  const parameters = Parameters.create(generator);
  const last = channels.length - 1;

  const time1 = dense(parameters.scope('time1'), { inputs: timeDim, outputs: timeSize });
  const time2 = dense(parameters.scope('time2'), { inputs: timeSize, outputs: timeSize });
  const waves = fourier ? 1 + 2 * fourier.length : 1;
  const input = conv2d(parameters.scope('input'), {
    inChannels: imageChannels * waves,
    outChannels: channels[0],
  });
  const block = (name: string, from: number, to: number): TimedLayer =>
    residualBlock(parameters.scope(name), from, to, timeSize);
  const attend = (name: string, level: number): Layer =>
    attention.includes(level)
      ? selfAttention(parameters.scope(name), { channels: channels[level], heads })
      : (x) => x;

  const down = channels.map((width, level) => {
    const scope = `down${level}`;
    return {
      blocks: Array.from({ length: blocks[level] }, (_, i) => block(`${scope}/block${i}`, width, width)),
      attend: attend(`${scope}/attention`, level),
      halve:
        level < last
          ? conv2d(parameters.scope(`${scope}/halve`), {
              inChannels: width,
              outChannels: channels[level + 1],
              stride: 2,
            })
          : undefined,
    };
  });
  const up = channels
    .slice(0, last)
    .map((width, level) => ({
      double: conv2d(parameters.scope(`up${level}/double`), {
        inChannels: channels[level + 1],
        outChannels: width,
      }),
      block: block(`up${level}/block`, skips ? 2 * width : width, width),
      attend: attend(`up${level}/attention`, level),
    }))
    .reverse();
  const outputNorm = groupNorm(parameters.scope('output/norm'), {
    channels: channels[0],
    activation: 'silu',
  });
  const output = conv2d(parameters.scope('output'), {
    inChannels: channels[0],
    outChannels: imageChannels,
    zeroInit: true,
  });

  const { generator: _, ...config } = options;
  return {
    config: { kind: 'unet', imageSize, imageChannels, ...config },
    parameters: parameters.all,
    parameterCount: parameters.count,
    predict: pure((xt, t) => {
      if (String(xt.shape.slice(1)) !== String([imageSize, imageSize, imageChannels])) {
        throw new Error(
          `xt has shape [${xt.shape}], but this network reads [B, ${imageSize}, ${imageSize}, ${imageChannels}]: pad or crop the images.`,
        );
      }
      return tf.tidy(() => {
        const time = silu(time2(silu(time1(timeEmbedding(t, timeDim)))));
        const kept: tf.Tensor[] = [];
        let x = input(fourier ? fourierFeatures(xt, fourier) : xt);
        for (const level of down) {
          for (const residual of level.blocks) x = residual(x, time);
          x = level.attend(x);
          if (level.halve) {
            kept.push(x);
            x = level.halve(x);
          }
        }
        for (const level of up) {
          x = level.double(upsample2(x));
          const skip = kept.pop() as tf.Tensor;
          x = level.block(skips ? tf.concat([x, skip], 3) : x, time);
          x = level.attend(x);
        }
        return output(outputNorm(x));
      });
    }),
    dispose: () => parameters.dispose(),
  };
}
