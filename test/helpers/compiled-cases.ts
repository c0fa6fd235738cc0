/** Every function of lib that takes tensors and returns one, with small inputs. */
import * as diffusion from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
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
import {
  binomialReverse,
  flipSchedule,
  gaussianReverse,
  multiplyBinomial,
  multiplyGaussian,
  perceptron,
  radialBasis,
  type MakeNet,
} from '../../lib/nonequilibrium';
import { scoreOf } from '../../lib/sampling';
import * as vdm from '../../lib/vdm';
import type { Made } from './compiled';
import { randomise } from './gradient';

export interface Case {
  /** The function's name among the exports of its folder. */
  of: string;
  /** What sets it apart from other cases of the same function. */
  which?: string;
  make: () => Made;
  /** The largest error allowed in bfloat16; left out where nothing may be rounded to it. */
  bfloat16?: number;
}

export const T = 8;
export const schedule = diffusion.linearSchedule({ T, betaStart: 0.05, betaEnd: 0.4 });
export const steps = (count: number): tf.Tensor1D =>
  tf.tensor1d(
    Array.from({ length: count }, (_, i) => (3 * i + 1) % T),
    'int32',
  );

const generator = createGenerator(21);
const normal = (name: string, shape: number[]): tf.Tensor => generator.fork(name).normal(shape);

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

const levels = (count: number): tf.Tensor => tf.tidy(() => tf.mul(normal('levels', [count]), 3));
const schedules: [string, () => vdm.GammaSchedule][] = [
  ...(['linear', 'cosine', 'sigmoid'] as const).map((shape): [string, () => vdm.GammaSchedule] => [
    'fixedGamma',
    () => vdm.fixedGamma({ shape }),
  ]),
  ['linearGamma', () => vdm.linearGamma()],
  ['monotoneGamma', () => vdm.monotoneGamma({ units: 4 })],
];
const mixture = { weights: [0.4, 0.6], means: [[1, 0], [-1, 0.5]], std: 0.3 }; // prettier-ignore
const batch = (rows: number): tf.Tensor[] => [
  tf.tidy(() => tf.div(tf.round(tf.mul(normal('x0', [rows, 2]), 40)), 127.5)),
  generator.fork('times').uniform([rows]),
  normal('eps', [rows, 2]),
  normal('eps0', [rows, 2]),
];

const ofVdm: Case[] = [
  ...(['noised', 'denoised'] as const).map((of) => ({
    of,
    make: (): Made => ({
      f: (x, eps, gamma) => vdm[of]({ x0: x, zt: x, eps, gamma }),
      inputs: [normal('x0', [3, 2, 2, 1]), normal('eps', [3, 2, 2, 1]), levels(3)],
    }),
  })),
  ...schedules.map(([of, build], k) => ({
    of,
    which: `schedule ${k}`,
    make: (): Made => {
      const schedule = build();
      const variables = new Map([...schedule.ends, ...schedule.interior]);
      // The slope of a line does not depend on t.
      const f = (t: tf.Tensor): tf.Tensor => tf.add(schedule.gamma(t), tf.mul(schedule.slope(t), t));
      return { f, inputs: [generator.fork('t').uniform([5], { min: 0.1, max: 0.9 })], variables };
    },
  })),
  {
    of: 'levelLogLikelihood',
    make: () => ({
      f: (x0, z, gamma) => vdm.levelLogLikelihood({ x0, z, gamma: tf.mean(gamma) }),
      inputs: [normal('pixels', [4, 3]), normal('guess', [4, 3]), tf.tensor1d([-1])],
    }),
  },
  {
    of: 'toLevels',
    make: () => ({
      f: (z) => tf.add(vdm.toLevels({ z, gamma: -3 }), tf.mul(z, 0)),
      inputs: [normal('z', [4, 3])],
    }),
  },
  {
    of: 'priorTerm',
    make: () => ({
      f: (x0, gamma) => vdm.priorTerm({ x0, gamma: tf.mean(gamma) }),
      inputs: [normal('x0', [4, 3]), tf.tensor1d([2])],
    }),
  },
  {
    of: 'mixtureGammaDenoiser',
    make: () => {
      const denoiser = vdm.mixtureGammaDenoiser(mixture);
      return {
        f: (z, gamma) => denoiser(z, gamma as tf.Tensor1D),
        inputs: [normal('zt', [5, 2]), levels(5)],
      };
    },
  },
  {
    of: 'byLevel',
    make: () => {
      const denoiser = vdm.byLevel(mixtureDenoiser({ mixture, schedule }), { steps: T });
      return {
        // By the level itself there is no gradient.
        f: (z, gamma) => tf.add(denoiser(z, gamma as tf.Tensor1D), tf.mul(tf.mean(gamma), 0)),
        inputs: [normal('zt', [5, 2]), levels(5)],
      };
    },
  },
  {
    of: 'vdmMlp',
    make: () => {
      const network = vdm.vdmMlp({ dims: 2, width: 6, depth: 2, exponents: [1, 2], generator });
      randomise(network.parameters, generator.fork('parameters'));
      return {
        f: (z, gamma) => network.predict(z, gamma as tf.Tensor1D),
        inputs: [normal('zt', [5, 2]), levels(5)],
        variables: network.parameters,
      };
    },
    bfloat16: 0.15,
  },
  {
    of: 'noiseError',
    make: () => ({
      f: (x0, eps, gamma) => {
        const denoiser = vdm.mixtureGammaDenoiser(mixture);
        return vdm.noiseError({ x0, eps, gamma: gamma as tf.Tensor1D, denoiser });
      },
      inputs: [normal('x0', [5, 2]), normal('eps', [5, 2]), levels(5)],
    }),
  },
  ...[undefined, 6].flatMap((T) => [
    {
      of: 'levelAndWeight',
      which: `T = ${T}`,
      make: (): Made => {
        const gamma = vdm.monotoneGamma({ units: 4 });
        const f = (t: tf.Tensor): tf.Tensor => {
          const found = vdm.levelAndWeight({ schedule: gamma, times: t as tf.Tensor1D, T });
          return tf.add(found.gamma, tf.add(found.weight, tf.mul(t, 0)));
        };
        return {
          f,
          inputs: [generator.fork('t').uniform([5])],
          variables: new Map([...gamma.ends, ...gamma.interior]),
        };
      },
    },
    {
      of: 'vdmTerms',
      which: `T = ${T}`,
      make: (): Made => {
        const gamma = vdm.linearGamma({ gammaMin: -6, gammaMax: 3 });
        const denoiser = vdm.mixtureGammaDenoiser(mixture);
        const f = (...[x0, times, eps, eps0]: tf.Tensor[]): tf.Tensor => {
          const given = { x0, times: times as tf.Tensor1D, eps, eps0 };
          const terms = vdm.vdmTerms({ ...given, schedule: gamma, denoiser, T });
          return tf.addN([...Object.values(terms), tf.mul(times, 0)]);
        };
        return { f, inputs: batch(5), variables: gamma.ends };
      },
    },
  ]),
];

/** A network of a reverse process, with random parameters. */
function net(of: string, which: string, makeNet: () => MakeNet, bfloat16?: number): Case {
  const make = (): Made => {
    const made = makeNet()({ inputs: 2, outputs: 5, T, generator });
    randomise(made.parameters, generator.fork('parameters'));
    const inputs = [normal('xt', [5, 2]), steps(5)];
    return { f: (x, t) => made.predict(x, t as tf.Tensor1D), inputs, variables: made.parameters };
  };
  return { of, which, make, bfloat16 };
}

const bits = (name: string): tf.Tensor =>
  tf.tidy(() => tf.cast(tf.greater(normal(name, [5, 3]), 0), 'int32'));
const noise = { schedule, net: perceptron({ width: 6, depth: 1 }), generator };

const reverse: Case[] = [
  net('perceptron', 'points', () => perceptron({ width: 6, depth: 2 }), 0.15),
  net('perceptron', 'waves', () => perceptron({ width: 6, depth: 1, waves: 4, waveScale: 1 }), 0.3),
  net('radialBasis', '4 units', () => radialBasis({ units: 4 })),
  ...(['diagonal', 'full'] as const).map((covariance): Case => ({
    of: 'gaussianReverse',
    which: `terms, ${covariance}`,
    make: () => {
      const model = gaussianReverse({ ...noise, dims: 2, covariance });
      randomise(model.parameters, generator.fork('parameters'), 0.1);
      const inputs = [normal('x0', [5, 2]), normal('xt', [5, 2]), steps(5)];
      return { f: (x0, xt, t) => model.term(x0, xt, t as tf.Tensor1D), inputs, variables: model.parameters };
    },
    bfloat16: 0.3,
  })),
  ...(['forward', 'learned'] as const).map((lastStep): Case => ({
    of: 'binomialReverse',
    which: `terms, last step ${lastStep}`,
    make: () => {
      const schedule = flipSchedule({ T, rate: 0.3 });
      const model = binomialReverse({ ...noise, schedule, dims: 3, lastStep });
      randomise(model.parameters, generator.fork('parameters'));
      const real = (x: tf.Tensor): tf.Tensor => tf.cast(x, 'float32');
      const f = (x0: tf.Tensor, xt: tf.Tensor, t: tf.Tensor): tf.Tensor =>
        model.term(real(x0), real(xt), t as tf.Tensor1D);
      return { f, inputs: [bits('x0'), bits('xt'), steps(5)], variables: model.parameters };
    },
    bfloat16: 0.3,
  })),
  {
    of: 'multiplyGaussian',
    make: () => {
      const coupling = tf.tidy(() => tf.mul(normal('c', [5, 1, 1]), tf.tensor2d([[0, 0], [1, 0]]))); // prettier-ignore
      const f = (mean: tf.Tensor, width: tf.Tensor, c: tf.Tensor): tf.Tensor =>
        multiplyGaussian({ mean, variance: tf.square(width), coupling: c as tf.Tensor3D }, (x) => tf.neg(x))
          .mean;
      return { f, inputs: [normal('mean', [5, 2]), normal('width', [5, 2]), coupling] };
    },
  },
  {
    of: 'multiplyBinomial',
    make: () => ({
      f: (x) => multiplyBinomial({ one: tf.sigmoid(x) }, { zero: [1, 0.2, 3], one: [0, 1, 1] }).one,
      inputs: [normal('x', [5, 3])],
    }),
  },
];

export const cases: Case[] = [...layers, ...ofDiffusion, ...oracles, ...networks, ...ofVdm, ...reverse];
