/** Every function of lib that takes tensors and returns one, with small inputs. */
import * as diffusion from '../../lib/diffusion';
import { tf } from '../../lib/engine';
import { combLogDensity, decoderLogLikelihood } from '../../lib/likelihood';
import { createModel, lecture2025, mlp, unet, type Model } from '../../lib/models';
import * as nn from '../../lib/nn';
import {
  empiricalOracle,
  gaussianOracle,
  mixtureDenoiser,
  mixtureOracle,
  type Oracle,
} from '../../lib/oracle';
import { scoreOf } from '../../lib/sampling';
import type { Made } from './compiled';
import { ofNonequilibrium } from './compiled-cases-2015';
import { ofVdm } from './compiled-cases-vdm';
import { generator, normal, schedule, steps, T, type Case } from './compiled-inputs';
import { randomise } from './gradient';

/** A layer with random parameters, also where they start at 0. */
function layer(shape: number[], build: (parameters: nn.Parameters) => nn.Layer): Made {
  const parameters = nn.Parameters.create(generator.fork('layer'));
  const f = build(parameters);
  randomise(parameters.all, generator.fork('parameters'));
  return { f, inputs: [normal('x', shape)], variables: parameters.all };
}

const conv = (size: number, options: Partial<nn.Conv2dOptions> = {}): Case => ({
  of: 'conv2d',
  which: `${size} x ${size}, ${JSON.stringify(options)}`,
  make: () => layer([2, size, size, 3], (p) => nn.conv2d(p, { inChannels: 3, outChannels: 4, ...options })),
  bfloat16: 0.02,
});

const norm = (activation: 'none' | 'silu', shape: number[], groups?: number, bfloat16?: number): Case => ({
  of: 'groupNorm',
  which: `${activation}, [${shape}], ${groups ?? 'default'} groups`,
  make: () => layer(shape, (p) => nn.groupNorm(p, { channels: shape[3], groups, activation })),
  bfloat16,
});

const attention = (heads: number): Case => ({
  of: 'selfAttention',
  which: `${heads} heads`,
  make: () => layer([2, 3, 3, 4], (p) => nn.selfAttention(p, { channels: 4, heads })),
  bfloat16: 0.05,
});

const layers: Case[] = [
  conv(6),
  conv(6, { kernelSize: 1 }),
  conv(6, { kernelSize: 5 }),
  conv(6, { stride: 2 }),
  conv(5, { stride: 2 }),
  conv(6, { kernelSize: 1, stride: 2 }),
  conv(6, { zeroInit: true }),
  ...[false, true].map((zeroInit) => ({
    of: 'dense',
    which: `zeroInit ${zeroInit}`,
    make: () => layer([5, 3], (p) => nn.dense(p, { inputs: 3, outputs: 4, zeroInit })),
    bfloat16: 0.02,
  })),
  ...[1, 4].map((outputs) => ({
    of: 'convolve',
    which: `16 to ${outputs} channels`,
    make: () => ({
      f: (x: tf.Tensor, kernel: tf.Tensor) => nn.convolve(x, kernel),
      inputs: [normal('x', [2, 6, 5, 16]), normal('kernel', [3, 3, 16, outputs])],
    }),
    bfloat16: 0.02,
  })),
  { of: 'turned', make: () => ({ f: nn.turned, inputs: [normal('kernel', [3, 5, 2, 4])] }) },
  norm('none', [2, 4, 4, 6]),
  norm('silu', [2, 4, 4, 6]),
  norm('silu', [2, 5, 3, 6], 1),
  norm('none', [2, 5, 3, 6], 6),
  // Large enough for XLA, which may hand the result on in bfloat16.
  norm('none', [2, 64, 64, 16], 8, 0.02),
  norm('silu', [2, 64, 64, 16], 8, 0.02),
  {
    of: 'groupNormalise',
    make: () => ({
      f: (x, gamma, beta) => nn.groupNormalise(x, gamma, beta, 2, { activation: 'silu' }),
      inputs: [normal('x', [2, 3, 3, 4]), normal('gamma', [4]), normal('beta', [4])],
    }),
  },
  ...[3, 64].map((size) => ({
    of: 'groupNormalise',
    which: `shifted, ${size} x ${size}`,
    make: (): Made => ({
      f: (x, gamma, beta, shift) => nn.groupNormalise(x, gamma, beta, 2, { activation: 'silu', shift }),
      inputs: [[2, size, size, 4], [4], [4], [2, 4]].map((shape, i) => normal(`shifted ${i}`, shape)),
    }),
    ...(size > 3 && { bfloat16: 0.02 }),
  })),
  ...(['silu', 'relu'] as const).map((of) => ({
    of,
    make: () => ({ f: nn[of], inputs: [normal('x', [3, 4, 4, 2])] }),
  })),
  ...[[4], [2, 3, 3, 4]].map((shape) => ({
    of: 'addBias',
    which: `[${[5, ...shape]}]`,
    make: () => ({ f: nn.addBias, inputs: [normal('x', [5, ...shape]), normal('bias', [4])] }),
  })),
  {
    of: 'fourierFeatures',
    make: () => ({
      f: (x: tf.Tensor) => nn.fourierFeatures(x, [1, 3]),
      inputs: [normal('x', [2, 3, 5, 2])],
    }),
  },
  { of: 'upsample2', make: () => ({ f: nn.upsample2, inputs: [normal('x', [2, 3, 5, 2])] }) },
  attention(1),
  attention(2),
  ...[undefined, 50].map((period) => ({
    of: 'timeEmbedding',
    which: `maxPeriod ${period ?? 'default'}`,
    make: () => ({
      f: (t: tf.Tensor) => nn.timeEmbedding(t as tf.Tensor1D, 6, period),
      inputs: [steps(5)],
    }),
  })),
];

/** The formulas of diffusion: what each takes besides the schedule and t. */
const formulas = {
  qSample: ['x0', 'eps'],
  qStep: ['xPrev', 'eps'],
  predictX0: ['xt', 'eps'],
  predictEps: ['xt', 'x0'],
  vFromEps: ['xt', 'eps'],
  epsFromV: ['xt', 'v'],
  x0FromV: ['xt', 'v'],
  scoreFromEps: ['eps'],
  epsFromScore: ['score'],
  x0FromScore: ['xt', 'score'],
  posteriorMean: ['x0', 'xt'],
  posteriorSample: ['x0', 'xt', 'z'],
} satisfies Partial<Record<keyof typeof diffusion, string[]>>;

type Formula = (o: object) => tf.Tensor;

const ofDiffusion: Case[] = [
  ...Object.entries(formulas).flatMap(([of, names]) =>
    [
      [5, 2],
      [4, 3, 3, 2],
    ].map((shape) => ({
      of,
      which: `[${shape}]`,
      make: (): Made => ({
        f: (t, ...tensors) => {
          const named = Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
          return (diffusion[of as keyof typeof formulas] as unknown as Formula)({ schedule, t, ...named });
        },
        inputs: [steps(shape[0]), ...names.map((name) => normal(name, shape))],
      }),
    })),
  ),
  {
    of: 'noiseMse',
    make: () => ({
      f: diffusion.noiseMse,
      inputs: [normal('eps', [2, 3, 3, 1]), normal('epsHat', [2, 3, 3, 1])],
    }),
  },
  {
    of: 'gatherSchedule',
    make: () => ({
      f: (t) => diffusion.gatherSchedule(schedule.abar, t as tf.Tensor1D, 4),
      inputs: [steps(5)],
    }),
  },
  {
    of: 'decoderLogLikelihood',
    make: () => ({
      f: (x0, mean) => decoderLogLikelihood({ x0, mean, std: 0.3 }),
      inputs: [normal('pixels', [4, 3, 3, 1]), normal('guess', [4, 3, 3, 1])],
    }),
  },
  {
    of: 'combLogDensity',
    make: () => ({
      f: (y) => combLogDensity(y, 0.05),
      inputs: [normal('spread', [2, 2, 2, 1])],
    }),
  },
  {
    of: 'mixtureDenoiser',
    make: () => {
      const means = [
        [1, 0],
        [-1, 0.5],
        [0, -1],
      ];
      const mixture = { weights: [0.5, 0.3, 0.2], means, std: 0.3 };
      const denoiser = mixtureDenoiser({ mixture, schedule });
      return { f: (x, t) => denoiser(x, t as tf.Tensor1D), inputs: [normal('xt', [5, 2]), steps(5)] };
    },
  },
  {
    of: 'scoreOf',
    make: () => {
      const denoiser = gaussianOracle({ mean: [1, -0.5], variance: [0.5, 2] }).denoiser(schedule);
      return { f: scoreOf({ denoiser, schedule, t: 3 }), inputs: [normal('points', [5, 2])] };
    },
  },
];

/** Of points in the plane. */
function oracle(of: string, make: () => Oracle, bfloat16?: number): Case {
  const made = (): Made => {
    const denoiser = make().denoiser(schedule);
    return { f: (x, t) => denoiser(x, t as tf.Tensor1D), inputs: [normal('xt', [5, 2]), steps(5)] };
  };
  return { of, make: made, bfloat16 };
}

const long = [[0.5, 0.3], [0.3, 0.4]]; // prettier-ignore
const oracles: Case[] = [
  oracle('gaussianOracle', () => gaussianOracle({ mean: [1, -0.5], covariance: long }), 0.05),
  oracle(
    'mixtureOracle',
    () => {
      const covariances = [long, [[0.1, 0], [0, 0.9]]]; // prettier-ignore
      return mixtureOracle({ weights: [0.4, 0.6], means: [[1, 0], [-1, 0.5]], covariances }); // prettier-ignore
    },
    0.05,
  ),
  oracle('empiricalOracle', () => empiricalOracle([[1, 0], [-1, 0.5], [0, -1]])), // prettier-ignore
];

function model(of: string, which: string, shape: number[], build: () => Model, bfloat16 = 0.15): Case {
  const make = (): Made => {
    const { predict, parameters } = build();
    randomise(parameters, generator.fork('parameters'));
    const inputs = [normal('xt', shape), steps(shape[0])];
    return { f: (xt, t) => predict(xt, t as tf.Tensor1D), inputs, variables: parameters };
  };
  return { of, which, make, bfloat16 };
}

// More channels than groups: alone in its group, a channel would have what t adds to it normalised away.
const small = { generator, channels: [9, 10], blocks: [1, 1], imageSize: 8 };

const networks: Case[] = [
  // Where rounding moves the input of a ReLU across 0, the gradient jumps.
  model('lecture2025', 'width 4', [2, 8, 8, 1], () => lecture2025({ T, width: 4, generator }), 0.25),
  model('unet', 'attention at both levels', [2, 8, 8, 1], () => unet({ ...small, attention: [0, 1] })),
  model('unet', 'heads, colours', [2, 8, 8, 3], () =>
    unet({ ...small, imageChannels: 3, attention: [1], heads: 2 }),
  ),
  model('unet', 'no skips, three levels', [2, 12, 12, 1], () =>
    unet({ ...small, channels: [9, 10, 12], blocks: [0, 1, 1], imageSize: 12, skips: false }),
  ),
  model('unet', 'large enough for XLA', [12, 28, 28, 1], () =>
    unet({ ...small, channels: [16, 10], blocks: [0, 0], imageSize: 28 }),
  ),
  model('mlp', '2 dimensions', [5, 2], () => mlp({ dims: 2, width: 8, generator })),
  model('mlp', '3 dimensions, depth 1', [5, 3], () =>
    mlp({ dims: 3, width: 6, depth: 1, timeDim: 4, generator }),
  ),
  model('createModel', 'mlp', [5, 2], () => createModel({ kind: 'mlp', dims: 2, width: 8 }, generator)),
];

export const cases: Case[] = [
  ...layers,
  ...ofDiffusion,
  ...oracles,
  ...networks,
  ...ofVdm,
  ...ofNonequilibrium,
];
