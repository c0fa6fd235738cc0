/** The functions of `lib/nonequilibrium` with small inputs. */
import { tf } from '../../lib/engine';
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
import type { Made } from './compiled';
import { generator, normal, schedule, steps, T, type Case } from './compiled-inputs';
import { randomise } from './gradient';

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

export const ofNonequilibrium: Case[] = [
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
