/** Complete recipes: schedule, network, training and sampling as plain data that a checkpoint can carry. */
import type { Precision } from '../compile';
import type { ScheduleConfig } from '../diffusion';
import type { ModelConfig } from './config';

export interface TrainingRecipe {
  epochs: number;
  batchSize: number;
  /** Samples of a batch that are computed in one go, to save memory; left out: all. */
  sliceSize?: number;
  /** Compute op by op instead of by one compiled function a step; default false. */
  eager?: boolean;
  /** Of the network's products, default float32. */
  precision?: Precision;
  /** Adam's step size: constant, or the peak of a warm-up followed by a half cosine down to 0. */
  learningRate: number;
  decay: 'none' | 'cosine';
  /** Decay of the moving average of the weights that samples are drawn from; 0 keeps the last weights. */
  emaDecay: number;
  /** Largest norm of a gradient; left out: no limit. */
  clipNorm?: number;
}

export interface SamplingRecipe {
  variance: 'beta' | 'posterior';
  clipDenoised: boolean;
}

export interface Preset {
  name: string;
  /** One line for `--help`. */
  description: string;
  schedule: ScheduleConfig;
  model: ModelConfig;
  training: TrainingRecipe;
  sampling: SamplingRecipe;
}

export type PresetName = 'lecture2025' | 'small' | 'likelihood';

export const presets: Readonly<Record<PresetName, Preset>> = {
  lecture2025: {
    name: 'lecture2025',
    description: "the lecture notes' network and recipe, exactly (T = 300, 5 epochs)",
    schedule: { kind: 'linear', T: 300, betaStart: 1e-4, betaEnd: 0.02 },
    model: { kind: 'lecture2025', T: 300 },
    training: { epochs: 5, batchSize: 128, learningRate: 2e-4, decay: 'none', emaDecay: 0 },
    sampling: { variance: 'beta', clipDenoised: false },
  },
  small: {
    name: 'small',
    description: 'a true U-Net that a laptop trains in minutes',
    // 1000 steps' worth of noise in 200: the linear betas scaled by 1000 / T, so that abar_T is nearly 0.
    schedule: { kind: 'linear', T: 200, betaStart: 5e-4, betaEnd: 0.1 },
    // Little at full resolution, where a convolution costs most; attention at 7 x 7, where it lets strokes agree.
    model: { kind: 'unet', channels: [16, 32, 64], blocks: [0, 1, 2], attention: [2] },
    // Small batches: in a fixed time, more steps teach more than larger ones. A high rate needs the clip.
    training: {
      epochs: 1.5,
      batchSize: 64,
      learningRate: 3e-3,
      decay: 'cosine',
      emaDecay: 0.995,
      clipNorm: 1,
    },
    sampling: { variance: 'posterior', clipDenoised: true },
  },
  likelihood: {
    name: 'likelihood',
    description: 'trained for bits per dimension: noise from far below a grey level on',
    // The ends of variational diffusion models; in equal steps of the log-SNR the plain loss is that of the bound. What
    // the bound loses to finite steps falls as 1 / T, and T costs nothing in training.
    schedule: { kind: 'logSnr', T: 5000, logSnrStart: 13.3, logSnrEnd: -5 },
    // More at full resolution than `small`: most of the bits are in single grey levels. bfloat16 rounds the pixels by
    // more than the faintest noise, but not the waves.
    model: {
      kind: 'unet',
      channels: [32, 64, 96],
      blocks: [2, 2, 1],
      attention: [2],
      fourier: [2, 4, 6, 7, 8],
    },
    training: {
      epochs: 9,
      batchSize: 32,
      precision: 'bfloat16',
      learningRate: 2e-3,
      decay: 'cosine',
      emaDecay: 0.999,
      clipNorm: 1,
    },
    sampling: { variance: 'posterior', clipDenoised: true },
  },
};

/** The preset of that name. @throws when there is none, with the names that there are. */
export function presetNamed(name: string): Preset {
  if (!Object.hasOwn(presets, name)) {
    throw new Error(`There is no preset '${name}': choose ${Object.keys(presets).join(' or ')}.`);
  }
  return presets[name as PresetName];
}
