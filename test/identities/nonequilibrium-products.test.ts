/** Multiplication with another distribution: exact where it can be, and the posterior of a mixture that is known. */
import { gatherSchedule, linearSchedule, posteriorMean, predictX0 } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { logDensity, productOf } from '../../lib/gaussian';
import {
  gaussianReverse,
  multiplyBinomial,
  multiplyGaussian,
  perceptron,
  sampleReverse,
  type GaussianStep,
  type ReverseModel,
} from '../../lib/nonequilibrium';
import { mixtureOracle, type FullMixture } from '../../lib/oracle';
import { expectNoLeaks } from '../helpers/leaks';
import { gaussianModel, numbers, steps } from '../helpers/reverse';

expectNoLeaks();

const generator = createGenerator(6);

test.each(['diagonal', 'full'] as const)('a log-linear factor shifts the mean exactly, %s', (covariance) => {
  // N(x; m, S) exp(g x) is N(x; m + S g, S) but for a number: compare densities at several points.
  const model = gaussianModel({ covariance });
  tf.tidy(() => {
    const g = [1.5, -0.7];
    const step = model.step(tf.tensor2d([[0.3, -0.2]]), steps(1, 3));
    const bent = multiplyGaussian(step, () => tf.tensor2d([g]));
    const full = ({ mean, variance, coupling }: GaussianStep) => {
      const [v, c] = [numbers(variance), coupling ? numbers(coupling)[2] : 0];
      return { mean: numbers(mean), covariance: [[v[0], c * v[0]], [c * v[0], v[1] + c * c * v[0]]] }; // prettier-ignore
    };
    const [before, after] = [full(step), full(bent)];
    const constants = [[0, 0], [0.5, -0.3], [1, 2]].map(
      (x) => logDensity(x, before) + g[0] * x[0] + g[1] * x[1] - logDensity(x, after),
    ); // prettier-ignore
    constants.forEach((value) => expect(Math.abs(value - constants[0])).toBeLessThan(2e-4));
  });
  model.dispose();
});

test('bits: the product, normalised; a weight of 0 forbids', () => {
  const one = tf.tensor2d([[0.2, 0.5, 0.9]]);
  const bent = multiplyBinomial({ one }, { zero: [1, 1, 0], one: [1, 3, 0.1] }).one;
  [0.2, 0.75, 1].forEach((p, i) => expect(Math.abs(numbers(bent)[i] - p)).toBeLessThan(1e-6));
  // What is forced stays so where the step itself is certain of the opposite.
  const certain = tf.tensor2d([[0, 1, 0]]);
  const forced = multiplyBinomial({ one: certain }, { zero: [0, 1, 1], one: [1, 0, 1] }).one;
  expect(numbers(forced)).toEqual([1, 0, expect.closeTo(0, 20)]);
  tf.dispose([certain, forced]);
  expect(() => multiplyBinomial({ one }, { zero: [1, 1], one: [1, 1, 1] })).toThrow('each of the 3 bits');
  expect(() => multiplyBinomial({ one }, { zero: [1, 0, 1], one: [1, 0, 1] })).toThrow('weights of bit 1');
  tf.dispose([one, bent]);
});

describe('denoising a point of a mixture', () => {
  const round = (variance: number) => [[variance, 0], [0, variance]]; // prettier-ignore
  const prior: FullMixture = {
    weights: [0.5, 0.3, 0.2],
    means: [[1, 0], [-0.8, 0.6], [-0.4, -1]], // prettier-ignore
    covariances: [0.02, 0.05, 0.03].map(round),
  };
  const seen = { mean: [0.1, 0.2], covariance: round(0.3) };
  // Every component times the observation, and its share by how well it explains it.
  const products = prior.means.map((mean, k) => productOf({ mean, covariance: prior.covariances[k] }, seen));
  const shares = products.map(({ logScale }, k) => prior.weights[k] * Math.exp(logScale));
  const total = shares.reduce((a, b) => a + b, 0);
  const posterior: FullMixture = {
    weights: shares.map((share) => share / total),
    means: products.map(({ product }) => [...product.mean]),
    covariances: products.map(({ product }) => product.covariance),
  };
  const schedule = linearSchedule({ T: 200, rescale: true });
  const scoreOf = (mixture: FullMixture) => {
    const denoiser = mixtureOracle(mixture).denoiser(schedule);
    return (x: tf.Tensor, t: number): tf.Tensor =>
      tf.div(denoiser(x, steps(x.shape[0], t)), -Math.sqrt(schedule.oneMinusAbar[t]));
  };
  /** A chain that steps back as well as one Gaussian a step can. */
  function perfect(): ReverseModel<GaussianStep> {
    const base = gaussianReverse({ schedule, dims: 2, net: perceptron({ width: 4, depth: 1 }), generator });
    const denoiser = mixtureOracle(prior).denoiser(schedule);
    const step = (xt: tf.Tensor, t: tf.Tensor1D): GaussianStep => {
      const x0 = predictX0({ schedule, xt, t, eps: denoiser(xt, t) });
      const variance = tf.mul(tf.onesLike(xt), gatherSchedule(schedule.betas, t, 2));
      return { mean: posteriorMean({ schedule, x0, xt, t }), variance };
    };
    return { ...base, step, draw: ({ mean, variance }, z) => tf.add(mean, tf.mul(tf.sqrt(variance), z)) };
  }

  /** How often each component is the nearest, of draws. */
  const nearest = (values: ArrayLike<number>): number[] => {
    const counts = [0, 0, 0];
    const n = values.length / 2;
    for (let i = 0; i < n; i++) {
      const far = prior.means.map(([a, b]) => Math.hypot(values[2 * i] - a, values[2 * i + 1] - b));
      counts[far.indexOf(Math.min(...far))] += 1 / n;
    }
    return counts;
  };
  const apart = (found: number[]) =>
    found.reduce((sum, share, k) => sum + Math.abs(share - posterior.weights[k]) / 2, 0);

  /** Draws with r_t(x) as the gradient of its logarithm, at the place and level of x_{t-1}. */
  async function drawn(pull?: (x: tf.Tensor, level: number) => tf.Tensor): Promise<number[]> {
    const model = perfect();
    const bend = pull && ((step: GaussianStep, t: number) => multiplyGaussian(step, (x) => pull(x, t - 1)));
    const x = await sampleReverse({ model, count: 4000, generator, bend });
    const values = numbers(x);
    tf.dispose(x);
    model.dispose();
    return values;
  }

  test('with r_t as it spreads under the noise, the chain ends in the posterior', async () => {
    const [ofPosterior, ofPrior] = [scoreOf(posterior), scoreOf(prior)];
    const seenScore = (x: tf.Tensor): tf.Tensor => tf.div(tf.sub(tf.tensor2d([seen.mean]), x), 0.3);
    const values = await drawn((x, level) =>
      level < 0 ? seenScore(x) : tf.sub(ofPosterior(x, level), ofPrior(x, level)),
    );
    expect(apart(nearest(values))).toBeLessThan(0.03);
    // Without it, the chain ends in the prior, which is elsewhere.
    const free = nearest(await drawn());
    prior.weights.forEach((weight, k) => expect(Math.abs(free[k] - weight)).toBeLessThan(0.03));
    expect(apart(free)).toBeGreaterThan(0.1);
    // Within the first component mean and spread are the posterior's.
    const own = values
      .filter((_, i) => Math.abs(values[2 * (i >> 1)] - 1) < 0.6)
      .filter((_, i) => i % 2 === 0);
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    expect(Math.abs(mean - posterior.means[0][0])).toBeLessThan(0.02);
    const variance = own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length;
    expect(Math.abs(variance / posterior.covariances[0][0][0] - 1)).toBeLessThan(0.25);
  });

  test('with the paper’s r, the same at every step, it ends nearer than the prior, but not there', async () => {
    const values = await drawn((x) => tf.div(tf.sub(tf.tensor2d([seen.mean]), x), 0.3));
    const [own, free] = [apart(nearest(values)), apart(nearest(await drawn()))];
    expect(own).toBeLessThan(free);
  });
});
