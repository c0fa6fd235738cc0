/** The functions of `lib/vdm` with small inputs. */
import { tf } from '../../lib/engine';
import { mixtureDenoiser } from '../../lib/oracle';
import * as vdm from '../../lib/vdm';
import type { Made } from './compiled';
import { generator, normal, schedule, T, type Case } from './compiled-inputs';
import { randomise } from './gradient';

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

export const ofVdm: Case[] = [
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
