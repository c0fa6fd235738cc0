/** The variational bound against closed forms, with the best denoiser of a Gaussian: no training. */
import { pure } from '../../lib/compile';
import { drawMixture, type GaussianMixture } from '../../lib/datasets';
import { linearSchedule, type Denoiser } from '../../lib/diffusion';
import { diffusionVae, elboExact, logEvidence, matchingTerms, optimalEps } from '../../lib/elbo';
import { createGenerator, tf } from '../../lib/engine';
import {
  createLossHistory,
  decoderLogProbability,
  variationalBound,
  type BitsPerDim,
  type BoundOptions,
  type VariationalBound,
} from '../../lib/likelihood';
import { drawSteps, stepProbabilities } from '../../lib/likelihood/importance';
import { mixtureDenoiser } from '../../lib/oracle';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const T = 12;
const schedule = linearSchedule({ T, betaStart: 0.02, betaEnd: 0.4 });
const point = [0.7, -0.4];
const [mean, variance] = [[0.4, -0.1], 0.3];
const mixture: GaussianMixture = { weights: [1], means: [mean], std: Math.sqrt(variance) };
const denoiser = pure(mixtureDenoiser({ mixture, schedule }));
const toBits = (nats: number, dims = 2): number => nats / (dims * Math.LN2);

/** The same point again and again. */
const copies = (count: number): tf.Tensor2D => tf.tidy(() => tf.tile(tf.tensor2d([point]), [count, 1]));

async function bound(options: Partial<BoundOptions>, count = 4000): Promise<VariationalBound> {
  const x0 = options.dataset || options.x0 ? undefined : copies(count);
  const common = { denoiser, schedule, x0, generator: createGenerator(5), batchSize: 1000 };
  const found = await variationalBound({ ...common, ...options });
  x0?.dispose();
  return found!;
}

function expectNear(found: BitsPerDim, bits: number, errors = 3): void {
  expect(Math.abs(found.bitsPerDim - bits)).toBeLessThan(errors * found.standardError + 1e-6);
}

/** One chain for each coordinate. */
const vaes = (kind: 'beta' | 'posterior') =>
  mean.map((m) => {
    const lines = Array.from(schedule.betas, (_, t) => optimalEps(schedule, t, { mean: m, variance }));
    return diffusionVae(schedule, lines, kind);
  });
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const exactSteps = (kind: 'beta' | 'posterior'): number[] => {
  const terms = vaes(kind).map((vae, d) => matchingTerms(vae, point[d]));
  return terms[0].steps.map((_, i) => toBits(sum(terms.map(({ steps }) => steps[i]))));
};

describe.each(['beta', 'posterior'] as const)('variance %s', (kind) => {
  test('each term is its closed form, the sum is minus the ELBO and at least -log p', async () => {
    const found = await bound({ variance: kind });
    const terms = vaes(kind).map((vae, d) => matchingTerms(vae, point[d]));
    expectNear(found.reconstruction, -toBits(sum(terms.map(({ reconstruction }) => reconstruction))));
    expectNear(found.prior, toBits(sum(terms.map(({ prior }) => prior))));
    expect(found.perStep.map(({ t }) => t)).toEqual(Array.from({ length: T - 1 }, (_, i) => i + 1));
    const steps = exactSteps(kind);
    found.perStep.forEach((step, i) => {
      expectNear(step, steps[i]);
      expect(step.draws).toBe(4000);
    });
    expectNear(found.steps, sum(steps));
    const elbo = sum(vaes(kind).map((vae, d) => elboExact(vae, point[d])));
    const evidence = sum(vaes(kind).map((vae, d) => logEvidence(vae, point[d])));
    expectNear(found, -toBits(elbo));
    expect(found.bitsPerDim).toBeGreaterThan(-toBits(evidence));
    expect(found.bitsPerDim).toBeCloseTo(
      found.reconstruction.bitsPerDim + found.steps.bitsPerDim + found.prior.bitsPerDim,
      10,
    );
    expect(found).toMatchObject({ dims: 2, count: 4000, nfe: T });
    expect(found.values.length).toBe(4000);
    expect(found.standardError).toBeGreaterThan(0);
    expect(found.standardError).toBeLessThan(0.03);
  });

  test('over the data: at least their entropy', async () => {
    const x0 = tf.tensor2d(drawMixture(mixture, 4000, createGenerator(6)), [4000, 2]);
    const found = await bound({ variance: kind, x0 });
    x0.dispose();
    const entropy = 0.5 * Math.log2(2 * Math.PI * Math.E * variance);
    expect(found.bitsPerDim).toBeGreaterThan(entropy - 3 * found.standardError);
    // So few steps are far too long for the smaller variance.
    expect(found.bitsPerDim).toBeLessThan(entropy + { beta: 0.3, posterior: 1.5 }[kind]);
  });
});

describe('steps drawn instead of all', () => {
  const truth = sum(exactSteps('beta'));
  const rising = Array.from({ length: T }, (_, t) => 1 + t);

  test.each([
    ['uniform', { draws: 3, weights: new Array(T).fill(1) }],
    ['rising', { draws: 3, weights: rising }],
    ['by the history of losses', { draws: 3 }],
  ])('%s: the same mean', async (_, steps) => {
    const found = await bound({ steps });
    expectNear(found.steps, truth);
    found.perStep.forEach((step, i) => expectNear(step, exactSteps('beta')[i], 4));
    expect(sum(found.perStep.map(({ draws }) => draws))).toBe(3 * 4000);
    expect(found.nfe).toBe(4);
    expect(found.steps.standardError).toBeLessThan(0.06);
  });

  test('the history scatters less than uniform weights where the losses differ', async () => {
    const steep = linearSchedule({ T: 60, rescale: true });
    const options = { denoiser: mixtureDenoiser({ mixture, schedule: steep }), schedule: steep };
    const uniform = await bound({ ...options, steps: { draws: 2, weights: new Array(60).fill(1) } });
    const history = createLossHistory({ T: 60 });
    await bound({ ...options, steps: { draws: 2, weights: history } });
    const weighted = await bound({ ...options, steps: { draws: 2, weights: history } });
    expect(weighted.steps.standardError).toBeLessThan(0.9 * uniform.steps.standardError);
    expectNear(weighted.steps, uniform.steps.bitsPerDim, 5);
  });

  test('a history is uniform until it is full, then follows the root of the mean square', () => {
    const history = createLossHistory({ T: 4, length: 2, uniformShare: 0.1 });
    expect(Array.from(history.weights())).toEqual([0, 1 / 3, 1 / 3, 1 / 3]);
    history.update([1, 2, 3, 1, 2], [9, 2, 3, 1, 2]);
    expect(history.weights()[1]).toBe(1 / 3);
    history.update([3, 1], [3, 1]);
    // The 9 has left the history.
    [0, 0.9 / 6 + 0.1 / 3, 1.8 / 6 + 0.1 / 3, 2.7 / 6 + 0.1 / 3].forEach((weight, t) =>
      expect(history.weights()[t]).toBeCloseTo(weight, 12),
    );
    const training = createLossHistory({ T: 2, length: 1, firstStep: 0 });
    expect(Array.from(training.weights())).toEqual([0.5, 0.5]);
  });

  test('steps come as often as their probabilities say, whatever the batch', async () => {
    const probabilities = stepProbabilities([7, 1, 2, 5], 4);
    expect(Array.from(probabilities)).toEqual([0, 1 / 8, 2 / 8, 5 / 8]);
    const generator = createGenerator(3);
    const size = 20_000;
    const drawn = await drawSteps(probabilities, { generator, first: 0, size });
    probabilities.forEach((p, t) => {
      const share = drawn.filter((step) => step === t).length / size;
      expect(Math.abs(share - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / size));
    });
    const later = await drawSteps(probabilities, { generator, first: 100, size: 10 });
    expect(Array.from(later)).toEqual(Array.from(drawn.slice(100, 110)));
  });
});

describe('grey levels', () => {
  const levels = [0, 90, 200, 255];
  const x = levels.map((level) => level / 127.5 - 1);
  const pixels: GaussianMixture = { weights: [1], means: [[0.1, 0.2, 0.3, -0.4]], std: 0.6 };
  const fine = linearSchedule({ T: 5, betaStart: 1e-3, betaEnd: 0.3 });
  const images = (): tf.Tensor4D => tf.tidy(() => tf.tile(tf.tensor4d(x, [1, 2, 2, 1]), [2000, 1, 1, 1]));

  /** E[-ln P(level)] over the noise of the first step, by quadrature. */
  function reconstruction(level: number, m: number): number {
    const { slope, offset } = optimalEps(fine, 0, { mean: m, variance: 0.36 });
    const [scale, noise] = [Math.sqrt(fine.abar[0]), Math.sqrt(fine.oneMinusAbar[0])];
    let [total, weight] = [0, 0];
    for (let z = -8; z <= 8; z += 0.01) {
      const xt = scale * (level / 127.5 - 1) + noise * z;
      const x0Hat = (xt - noise * (slope * xt + offset)) / scale;
      const w = Math.exp((-z * z) / 2);
      total -= w * decoderLogProbability(level, { mean: x0Hat, std: Math.sqrt(fine.betas[0]) });
      weight += w;
    }
    return total / weight;
  }

  test('L_0 is the mean over the noise, by quadrature', async () => {
    const x0 = images();
    const oracle = mixtureDenoiser({ mixture: pixels, schedule: fine });
    const found = await bound({ x0, denoiser: oracle, schedule: fine });
    x0.dispose();
    const exact = sum(levels.map((level, i) => reconstruction(level, pixels.means[0][i])));
    expectNear(found.reconstruction, toBits(exact, 4));
    expect(found.dims).toBe(4);
  });

  test('clipping helps a denoiser that sees values beyond the range', async () => {
    const x0 = images();
    const wild: Denoiser = (xt) => tf.neg(xt);
    const options = { x0, denoiser: wild, schedule: fine };
    const [free, clipped] = [await bound(options), await bound({ ...options, clipDenoised: true })];
    x0.dispose();
    expect(clipped.steps.bitsPerDim).toBeLessThan(0.9 * free.steps.bitsPerDim);
  });

  test('clipping to a range that nothing leaves changes nothing', async () => {
    const options = { clipRange: [-100, 100] as const };
    const [free, clipped] = [await bound({}, 50), await bound({ ...options, clipDenoised: true }, 50)];
    clipped.values.forEach((value, i) => expect(value).toBeCloseTo(free.values[i], 3));
  });
});

describe('the loop', () => {
  test('the same for any batch size, compiled or not', async () => {
    const one = await bound({}, 30);
    const others = [await bound({ batchSize: 7 }, 30), await bound({ eager: true }, 30)];
    for (const other of others)
      other.values.forEach((value, i) => expect(value).toBeCloseTo(one.values[i], 4));
  });

  test('calls back after each call, and ends where it is stopped', async () => {
    const seen: string[] = [];
    await bound({ batchSize: 20, onProgress: (nfe, total) => seen.push(`${nfe}/${total}`) }, 40);
    expect(seen.length).toBe(2 * T);
    expect(seen[2 * T - 1]).toBe(`${2 * T}/${2 * T}`);
    const stop = createStopToken();
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const ended = await bound({ stop, onProgress: (nfe) => nfe === 5 && stop.stop() }, 40);
    clearInterval(timer);
    expect(ended).toBeUndefined();
    expect(turns).toBeGreaterThan(0);
  });

  test('a denoiser that throws leaves nothing behind', async () => {
    const broken: Denoiser = () => {
      throw new Error('no network');
    };
    const x0 = copies(3);
    const failed = variationalBound({ denoiser: broken, schedule, x0, generator: createGenerator(0) });
    await expect(failed).rejects.toThrow('no network');
    x0.dispose();
  });
});
