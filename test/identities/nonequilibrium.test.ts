/** The terms of the bound against Gaussians and bits on float64 numbers; the bound where it is known. */
import { constantShareSchedule, posteriorCoefficients } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { entropy, klDivergence, logDensity, natsToBits, type FullGaussian } from '../../lib/gaussian';
import {
  bitKl,
  flipMarginal,
  flipPosterior,
  gaussianEntropyBounds,
  reverseBound,
  type GaussianStep,
} from '../../lib/nonequilibrium';
import { expectNoLeaks } from '../helpers/leaks';
import { binomialModel, flips, gaussianModel, numbers, schedule, steps } from '../helpers/reverse';

expectNoLeaks();

const generator = createGenerator(11);

test('the schedule of a constant share is a straight line', () => {
  const { abar, betas } = constantShareSchedule({ T: 40 });
  abar.forEach((left, t) => expect(Math.abs(left - (40 - t) / 41)).toBeLessThan(1e-14));
  expect([betas[0], betas[39]]).toEqual([1 / 41, 1 / 2]);
});

/** Sample i of a step as a Gaussian with its covariance: (I - C)^-1 V (I - C)^-T, for two coordinates. */
function gaussianOf({ mean, variance, coupling }: GaussianStep, i: number): FullGaussian {
  const [m, v] = [mean, variance].map((x) => numbers(x).slice(2 * i, 2 * i + 2));
  const c = coupling ? numbers(coupling)[4 * i + 2] : 0;
  return { mean: m, covariance: [[v[0], c * v[0]], [c * v[0], v[1] + c * c * v[0]]] }; // prettier-ignore
}

describe.each(['diagonal', 'full'] as const)('Gaussian steps, %s', (covariance) => {
  test('terms are the divergence of the two Gaussians, in bits; the last is a density', () => {
    const model = gaussianModel({ covariance, lastStep: 'learned' });
    tf.tidy(() => {
      const [x0, xt] = ['x0', 'xt'].map((name) => generator.fork(name).normal([5, 2]));
      const rows = (x: tf.Tensor, i: number): number[] => numbers(x).slice(2 * i, 2 * i + 2);
      for (let t = 0; t < 6; t++) {
        const terms = numbers(model.term(x0, xt, steps(5, t)));
        const step = model.step(xt, steps(5, t));
        const { x0: a, xt: b, variance } = posteriorCoefficients(schedule, t);
        terms.forEach((term, i) => {
          const p = gaussianOf(step, i);
          const mean = rows(x0, i).map((x, d) => a * x + b * rows(xt, i)[d]);
          const nats =
            t === 0 ? -logDensity(mean, p) : klDivergence({ mean, variance: [variance, variance] }, p);
          expect(Math.abs(term / natsToBits(nats) - 1)).toBeLessThan(1e-4);
        });
      }
    });
    model.dispose();
  });

  test('draws have the step’s mean and covariance', () => {
    const model = gaussianModel({ covariance });
    tf.tidy(() => {
      const count = 40_000;
      const xt = tf.tile(tf.tensor2d([[0.4, -0.8]]), [count, 1]);
      const step = model.step(xt, steps(count, 3));
      const { mean, covariance: truth } = gaussianOf(step, 0);
      const draws = model.draw(step, generator.fork('z').normal([count, 2]));
      const centred = tf.sub(draws, tf.tensor2d([[...mean]])) as tf.Tensor2D;
      const found = numbers(tf.div(tf.matMul(centred, centred, true), count));
      truth.flat().forEach((value, k) => {
        const scale = Math.sqrt(truth[k >> 1][k >> 1] * truth[k & 1][k & 1]);
        expect(Math.abs(found[k] - value) / scale).toBeLessThan(5 * Math.sqrt(2 / count));
      });
      expect(covariance === 'diagonal' || Math.abs(truth[0][1]) > 1e-4).toBe(true);
    });
    model.dispose();
  });
});

describe('the bound of data that the untrained chain inverts exactly', () => {
  test('unit Gaussian: minus the entropy, and no gain', async () => {
    for (const covariance of ['diagonal', 'full'] as const) {
      const model = gaussianModel({ covariance }, 0);
      const x0 = generator.fork('unit').normal([4000, 2]);
      const bound = (await reverseBound({ model, x0, generator, draws: 4 }))!;
      const truth = -natsToBits(entropy({ mean: [0, 0], variance: [1, 1] }));
      expect(Math.abs(bound.bits - truth)).toBeLessThan(4 * bound.standardError);
      expect(bound.standardError).toBeLessThan(0.05);
      // Sample by sample the bound is the density: its scatter about it is that of x_t alone.
      expect(Math.abs(bound.gain)).toBeLessThan(0.05);
      x0.dispose();
      model.dispose();
    }
  });

  test('independent bits: minus their entropy', async () => {
    for (const lastStep of ['forward', 'learned'] as const) {
      const model = binomialModel({ lastStep }, 0);
      const x0 = tf.tidy(() => tf.cast(tf.less(generator.fork('bits').uniform([4000, 4]), 0.3), 'float32'));
      const bound = (await reverseBound({ model, x0, generator, draws: 4 }))!;
      expect(Math.abs(bound.gain)).toBeLessThan(0.05);
      x0.dispose();
      model.dispose();
    }
  });
});

test('with the forward kernel last, the ends are the paper’s entropies', async () => {
  // One point of squared length D stands for data of unit variance.
  const model = gaussianModel();
  const x0 = tf.tidy(() => tf.tile(tf.tensor2d([[1, -1]]), [20_000, 1]));
  const bound = (await reverseBound({ model, x0, generator }))!;
  const bits = (variance: number): number => Math.log2(2 * Math.PI * Math.E * variance);
  const ends = bits(schedule.oneMinusAbar[5]) - bits(schedule.betas[0]) - bits(1);
  expect(Math.abs(-bound.steps[0] - bound.prior - ends)).toBeLessThan(0.03);
  const sum = bound.steps.reduce((a, b) => a + b, 0) + bound.prior;
  expect(Math.abs(bound.bits + sum)).toBeLessThan(1e-9);
  x0.dispose();
  model.dispose();
});

test('bits: the tensors are the kernels on numbers', () => {
  const model = binomialModel({ lastStep: 'learned' });
  tf.tidy(() => {
    const x0 = tf.tensor2d([[0, 1, 1, 0]]);
    const xt = tf.tensor2d([[0, 0, 1, 1]]);
    for (let t = 0; t < 6; t++) {
      const one = numbers(model.step(xt, steps(1, t)).one);
      const [term] = numbers(model.term(x0, xt, steps(1, t)));
      const truth = one.reduce((sum, p, i) => {
        const q = flipPosterior(flips, { x0: numbers(x0)[i], xt: numbers(xt)[i], t });
        return sum + bitKl(q, p);
      }, 0);
      expect(Math.abs(term / truth - 1)).toBeLessThan(1e-4);
      // What the model says lies between what follows from x_0 = 0 and from x_0 = 1.
      one.forEach((p, i) => {
        const [low, high] = [0, 1].map((bit) => flipPosterior(flips, { x0: bit, xt: numbers(xt)[i], t }));
        expect(p).toBeGreaterThanOrEqual(low - 1e-6);
        expect(p).toBeLessThanOrEqual(high + 1e-6);
      });
      const many = tf.tile(x0, [20_000, 1]);
      const noised = model.noised(many, steps(20_000, t), generator.fork('u', t).uniform([20_000, 4]));
      numbers(tf.mean(noised, 0)).forEach((share, i) =>
        expect(Math.abs(share - flipMarginal(flips, numbers(x0)[i], t))).toBeLessThan(0.02),
      );
    }
  });
  model.dispose();
});

test('entropy bounds of Gaussian data hold, and are equal to it where they must be', () => {
  const bits = (variance: number): number => 0.5 * Math.log2(2 * Math.PI * Math.E * variance);
  for (let t = 1; t < schedule.T; t++) {
    const bounds = gaussianEntropyBounds({ schedule, t, dims: 1 });
    /** H(X_{t-1} | X_t) for data N(0, variance): prior and kernel multiplied. */
    const truth = (variance: number): number => {
      const before = schedule.abar[t - 1] * variance + schedule.oneMinusAbar[t - 1];
      return bits((before * schedule.betas[t]) / (schedule.alphas[t] * before + schedule.betas[t]));
    };
    // Without any spread of the data x_0 is known: the lower bound. With unit variance, the upper one.
    expect(Math.abs(truth(0) - bounds.lower)).toBeLessThan(1e-10);
    expect(Math.abs(truth(1) - bounds.upper)).toBeLessThan(1e-10);
    for (const variance of [0.1, 0.5]) {
      expect(truth(variance)).toBeGreaterThan(bounds.lower);
      expect(truth(variance)).toBeLessThan(bounds.upper);
    }
    expect(gaussianEntropyBounds({ schedule, t, dims: 3 }).upper).toBeCloseTo(3 * bounds.upper, 12);
  }
});
