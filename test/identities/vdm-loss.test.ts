/** The bound of a variational diffusion model where every quantity is known, and what it depends on. */
import { createGenerator, tf } from '../../lib/engine';
import { gaussianOracle, mixtureOracle } from '../../lib/oracle';
import {
  alphaOf,
  errorByLevel,
  evaluateVdm,
  fixedGamma,
  gaussianError,
  levelLogLikelihood,
  levelLogProbabilities,
  linearGamma,
  lossOfSteps,
  lossOverGamma,
  lossOverTime,
  mixtureGammaDenoiser,
  noised,
  denoised,
  oracleAtGamma,
  quantised,
  reconstructionNats,
  sigmaOf,
  toLevels,
  vdmTerms,
  type GammaShape,
} from '../../lib/vdm';
import { gaussianMixture } from '../../lib/datasets';
import { klDivergence } from '../../lib/gaussian';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const ends = { gammaMin: -6, gammaMax: 4 };
const shapes: GammaShape[] = ['linear', 'cosine', 'sigmoid'];
const variances = [0.5, 0.02];
const error = gaussianError(variances);
/** `1/2 sum ln((v + e^a) / (v + e^b)) + (b - a)`, the integral of the error curve. */
const closedForm = ({ gammaMin, gammaMax }: typeof ends): number =>
  variances.reduce(
    (sum, v) =>
      sum + (gammaMax - Math.log(v + Math.exp(gammaMax)) - gammaMin + Math.log(v + Math.exp(gammaMin))) / 2,
    0,
  );

describe('the diffusion loss of a Gaussian', () => {
  test.each(shapes)('%s: the integral over time is the closed form, whatever the inside', (shape) => {
    const schedule = fixedGamma({ ...ends, shape });
    expect(lossOverTime({ at: schedule.at, error })).toBeCloseTo(closedForm(ends), 9);
  });

  test('and so is that over the levels; other ends change it', () => {
    expect(lossOverGamma({ ...ends, error })).toBeCloseTo(closedForm(ends), 10);
    const wider = { gammaMin: -7, gammaMax: 4 };
    expect(lossOverGamma({ ...wider, error })).toBeCloseTo(closedForm(wider), 10);
    expect(closedForm(wider) - closedForm(ends)).toBeGreaterThan(0.5);
  });

  test.each(shapes)('%s: steps tend to it from above, their excess falling as 1 / T', (shape) => {
    const { at } = fixedGamma({ ...ends, shape });
    const excess = [10, 100, 1000, 10000].map((T) => lossOfSteps({ at, error, T }) - closedForm(ends));
    excess.forEach((value) => expect(value).toBeGreaterThan(0));
    excess.slice(1).forEach((value, i) => expect(value).toBeLessThan(excess[i] / 5));
    expect(excess[2] / excess[3]).toBeCloseTo(10, 0);
  });

  test('doubling the steps never makes it larger', () => {
    const { at } = fixedGamma({ ...ends, shape: 'sigmoid' });
    const losses = [1, 2, 4, 8, 16, 32].map((T) => lossOfSteps({ at, error, T }));
    losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]));
  });
});

const mixture = {
  weights: [0.5, 0.3, 0.2],
  means: [
    [0.6, 0],
    [-0.5, 0.3],
    [0, -0.6],
  ],
  std: 0.15,
};

describe('the best denoiser at a level', () => {
  test.each([-8, -2, 0, 3])('on tensors as by the oracle, gamma = %s', (gamma) => {
    const zt = [0.3, -0.4];
    const { eps } = oracleAtGamma({ oracle: mixtureOracle(mixture), zt, gamma });
    const found = tf.tidy(() => [
      ...mixtureGammaDenoiser(mixture)(tf.tensor2d([zt]), tf.tensor1d([gamma])).dataSync(),
    ]);
    found.forEach((value, i) => expect(value).toBeCloseTo(eps[i], 4));
  });

  test('of a Gaussian has the error of the closed form', async () => {
    const std = 0.4;
    const denoiser = mixtureGammaDenoiser({ weights: [1], means: [[0.2, 0]], std });
    const dataset = gaussianMixture({
      count: 4000,
      generator: createGenerator(3),
      mixture: { weights: [1], means: [[0.2, 0]], std },
    });
    const gammas = [-6, -1, 2];
    const rows = await errorByLevel({ denoiser, dataset, gammas, generator: createGenerator(5) });
    rows!.forEach((row) => {
      const expected = gaussianError([std ** 2, std ** 2])(row.gamma);
      expect(Math.abs(row.error - expected)).toBeLessThan(4 * row.standardError);
      expect(row.standardError).toBeLessThan(0.05);
    });
  });
});

describe('evaluateVdm', () => {
  const dataset = gaussianMixture({ count: 3000, generator: createGenerator(7), mixture });
  const common = {
    denoiser: mixtureGammaDenoiser(mixture),
    dataset,
    decoder: 'none' as const,
    generator: createGenerator(8),
    draws: 4,
  };

  test('continuous time: equal ends, equal loss within three errors; other ends, another', async () => {
    const found = [];
    for (const shape of shapes) {
      found.push((await evaluateVdm({ ...common, schedule: fixedGamma({ ...ends, shape }) }))!.diffusion);
    }
    for (const one of found.slice(1)) {
      const allowed = 3 * Math.hypot(one.standardError, found[0].standardError);
      expect(Math.abs(one.bitsPerDim - found[0].bitsPerDim)).toBeLessThan(allowed);
      expect(allowed).toBeLessThan(0.3);
    }
    const other = await evaluateVdm({ ...common, schedule: fixedGamma({ gammaMin: -8, gammaMax: 4 }) });
    expect(other!.diffusion.bitsPerDim - found[0].bitsPerDim).toBeGreaterThan(1);
  });

  test('the bound without a decoder is the entropy of z_0, as the denoiser is the true one', async () => {
    // The sum of the diffusion loss and of the prior is KL(q(z_0..1 | x)) on average: I(x; z_0) for the true denoiser.
    const single = { weights: [1], means: [[0, 0]], std: 0.4 };
    const points = gaussianMixture({ count: 3000, generator: createGenerator(1), mixture: single });
    const wide = { gammaMin: -6, gammaMax: 9 };
    const found = await evaluateVdm({
      ...common,
      denoiser: mixtureGammaDenoiser(single),
      dataset: points,
      schedule: fixedGamma(wide),
    });
    const information = Math.log2(1 + 0.16 * Math.exp(6)) / 2;
    expect(Math.abs(found!.bitsPerDim - information)).toBeLessThan(4 * found!.standardError + 1e-3);
  });

  test.each([1, 5, 50])('T = %s: the sum of the steps', async (T) => {
    const std = 0.4;
    const single = { weights: [1], means: [[0, 0]], std };
    const points = gaussianMixture({ count: 4000, generator: createGenerator(1), mixture: single });
    const schedule = fixedGamma({ gammaMin: -3, gammaMax: 3 });
    const denoiser = mixtureGammaDenoiser(single);
    const found = await evaluateVdm({ ...common, denoiser, dataset: points, schedule, T });
    const curve = gaussianError([std ** 2, std ** 2]);
    const expected = lossOfSteps({ at: schedule.at, error: curve, T }) / (2 * Math.LN2);
    expect(Math.abs(found!.diffusion.bitsPerDim - expected)).toBeLessThan(4 * found!.diffusion.standardError);
  });

  test('compiled as op by op', async () => {
    const schedule = fixedGamma(ends);
    const one = { ...common, count: 300, draws: 1, schedule };
    const compiled = await evaluateVdm(one);
    const plain = await evaluateVdm({ ...one, denoiser: (zt, gamma) => common.denoiser(zt, gamma) });
    expect(compiled!.bitsPerDim).toBeCloseTo(plain!.bitsPerDim, 5);
  });

  test('stops', async () => {
    const stop = { stopped: true };
    expect(await evaluateVdm({ ...common, schedule: fixedGamma(ends), stop })).toBeUndefined();
    const one = { ...common, gammas: [0], stop };
    expect(await errorByLevel(one)).toBeUndefined();
  });
});

describe('terms', () => {
  const x0 = tf.tidy(() => tf.tensor2d([[-1, 1, 0.003921569], [0.5, -0.2, 0.1]])); // prettier-ignore
  const noise = createGenerator(2);
  const [eps, eps0] = [noise.fork(1).normal([2, 3]), noise.fork(2).normal([2, 3])];
  const times = tf.tensor1d([0.25, 0.999]);
  afterAll(() => tf.dispose([x0, eps, eps0, times]));
  // Made outside of the tests, so that they do not count.
  const options = { x0, eps, eps0, times, denoiser: (zt: tf.Tensor) => zt.clone() };

  test('the prior is the divergence from N(0, I)', () => {
    const schedule = fixedGamma({ gammaMin: -9, gammaMax: 1.5 });
    const { prior, reconstruction, diffusion } = vdmTerms({ ...options, schedule });
    const expected = x0
      .arraySync()
      .map((row) =>
        klDivergence(
          { mean: row.map((x) => alphaOf(1.5) * x), variance: row.map(() => sigmaOf(1.5) ** 2) },
          { mean: row.map(() => 0), variance: row.map(() => 1) },
        ),
      );
    prior.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
    tf.dispose([prior, reconstruction, diffusion]);
  });

  test('gradients flow into both ends, from the prior, the decoder and the diffusion loss', () => {
    const schedule = linearGamma({ gammaMin: -9, gammaMax: 3 });
    for (const term of ['prior', 'reconstruction', 'diffusion'] as const) {
      tf.tidy(() => {
        const f = (): tf.Scalar => tf.sum(vdmTerms({ ...options, schedule })[term]);
        const { grads } = tf.variableGrads(f, [...schedule.ends.values()]);
        const start = schedule.ends.get('start') as tf.Variable;
        const first = start.dataSync()[0];
        const at = (value: number): number => {
          start.assign(tf.scalar(value));
          return f().dataSync()[0];
        };
        const numeric = (at(first + 0.01) - at(first - 0.01)) / 0.02;
        start.assign(tf.scalar(first));
        const found = grads[start.name].dataSync()[0];
        expect(Math.abs(found)).toBeGreaterThan(1e-3);
        expect(Math.abs(found - numeric)).toBeLessThan(0.02 * Math.abs(numeric) + 2e-3);
      });
    }
    schedule.dispose();
  });

  test('a weight of 1 / slope leaves the error of the noise', () => {
    const schedule = fixedGamma({ gammaMin: -9, gammaMax: 3 });
    tf.tidy(() => {
      const weight = (gamma: tf.Tensor): tf.Tensor => tf.fill(gamma.shape, 2 / 12);
      const { diffusion } = vdmTerms({ ...options, schedule, weight });
      const zt = noised({ x0, gamma: schedule.gamma(times) as tf.Tensor1D, eps });
      const expected = tf.sum(tf.squaredDifference(zt, eps), 1).dataSync();
      diffusion.dataSync().forEach((value, i) => expect(value / expected[i]).toBeCloseTo(1, 4));
    });
  });

  test('denoised undoes noised', () => {
    tf.tidy(() => {
      const gamma = tf.tensor1d([-4, 1]);
      const back = denoised({ zt: noised({ x0, gamma, eps }), gamma, eps });
      expect(tf.max(tf.abs(tf.sub(back, x0))).dataSync()[0]).toBeLessThan(1e-5);
    });
  });
});

describe('the decoder of 256 levels', () => {
  test.each([-13.3, -9, -5, 0, 4])('sums to 1 at gamma = %s', (gamma) => {
    for (const z of [-1.2, -1, 0.01, 0.7, 3]) {
      const sum = levelLogProbabilities({ z, gamma }).reduce((total, value) => total + Math.exp(value), 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  test('on tensors as on numbers', () => {
    const gamma = -8;
    const levels = [0, 3, 128, 255];
    const z = levels.map((level, i) => alphaOf(gamma) * (level / 127.5 - 1) + 0.01 * (i - 1.5));
    tf.tidy(() => {
      const x0 = tf.tensor1d(levels.map((level) => level / 127.5 - 1));
      const found = levelLogLikelihood({ x0, z: tf.tensor1d(z), gamma: tf.scalar(gamma) }).dataSync();
      levels.forEach((level, i) =>
        expect(found[i]).toBeCloseTo(levelLogProbabilities({ z: z[i], gamma })[level], 2),
      );
    });
  });

  test('with hardly any noise it costs nothing, with much 8 bits', () => {
    expect(reconstructionNats(-13.3)).toBeLessThan(0.02);
    expect(reconstructionNats(-13.3, 0)).toBeCloseTo(reconstructionNats(-13.3) / 2, 3);
    expect(reconstructionNats(8) / Math.LN2).toBeCloseTo(8, 1);
    expect(reconstructionNats(-8)).toBeGreaterThan(reconstructionNats(-9));
  });

  test('the mean over noise is the integral', async () => {
    const x0 = tf.fill([4000, 1], 1 / 255);
    const schedule = fixedGamma({ gammaMin: -9, gammaMax: 4 });
    const found = await evaluateVdm({
      denoiser: (zt) => zt.clone(),
      schedule,
      x0,
      generator: createGenerator(2),
    });
    x0.dispose();
    const { bitsPerDim, standardError } = found!.reconstruction;
    expect(Math.abs(bitsPerDim - reconstructionNats(-9) / Math.LN2)).toBeLessThan(4 * standardError);
  });

  test('the most probable level is the nearest one, and drawn levels have their probabilities', () => {
    tf.tidy(() => {
      const gamma = -7;
      const near = toLevels({ z: tf.tensor1d([0.5, -3, 2]).mul(alphaOf(gamma)), gamma }).dataSync();
      expect(Array.from(near, (x) => Math.round((x + 1) * 127.5))).toEqual([191, 0, 255]);
      const count = 4000;
      const u = createGenerator(1).uniform([count, 256]);
      const gumbel = tf.neg(tf.log(tf.neg(tf.log(u))));
      const drawn = toLevels({ z: tf.fill([count], 0.5 * alphaOf(gamma)), gamma, gumbel }).dataSync();
      const share = drawn.filter((x) => Math.round((x + 1) * 127.5) === 191).length / count;
      const p = Math.exp(levelLogProbabilities({ z: 0.5 * alphaOf(gamma), gamma })[191]);
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / count));
    });
  });

  test('quantised points lie on levels', () => {
    const points = gaussianMixture({ count: 100, generator: createGenerator(1), mixture });
    const { points: values, range } = quantised(points, [-1, 1]);
    expect(range).toEqual([-1, 1]);
    values.forEach((x, i) => {
      const level = (x + 1) * 127.5;
      expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-4);
      if (Math.abs(points.points[i]) <= 1)
        expect(Math.abs(x - points.points[i])).toBeLessThan(1 / 255 + 1e-6);
    });
  });
});

test('the oracle of a Gaussian at a level is linear', () => {
  const { eps } = oracleAtGamma({ oracle: gaussianOracle({ mean: 0, variance: 0.25 }), zt: [1], gamma: 1 });
  const [alpha2, sigma] = [alphaOf(1) ** 2, sigmaOf(1)];
  expect(eps[0]).toBeCloseTo(sigma / (alpha2 * 0.25 + sigma ** 2), 12);
});
