/** The likelihood of the probability-flow ODE: against the exact flow of a Gaussian, and densities in closed form. */
import { pure } from '../../lib/compile';
import type { GaussianMixture } from '../../lib/datasets';
import {
  cosineSchedule,
  linearSchedule,
  logSnrSchedule,
  type Denoiser,
  type Schedule,
} from '../../lib/diffusion';
import { logDensity } from '../../lib/gaussian';
import { createGenerator, tf } from '../../lib/engine';
import { combLogDensity, flowLikelihood, type FlowLikelihood, type FlowOptions } from '../../lib/likelihood';
import { epsAndTrace, exactProbes, randomProbes } from '../../lib/likelihood/trace';
import { mixtureDenoiser, mixtureLogDensity } from '../../lib/oracle';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const gaussian: GaussianMixture = { weights: [1], means: [[0.4, -0.1]], std: 0.5 };
const twoHills: GaussianMixture = {
  weights: [0.3, 0.7],
  means: [
    [1, 0],
    [-1, 0.5],
  ],
  std: 0.4,
};
const places = [
  [0.7, -0.4],
  [0, 0],
  [-1.2, 0.8],
  [1, 0.1],
];
const rhoOf = ({ abar, oneMinusAbar }: Schedule, t: number): number => Math.sqrt(oneMinusAbar[t] / abar[t]);

async function flow(
  { mixture, schedule }: { mixture: GaussianMixture; schedule: Schedule },
  options: Partial<FlowOptions> = {},
): Promise<FlowLikelihood> {
  const x0 = options.x0 ?? tf.tensor2d(places);
  const denoiser = pure(mixtureDenoiser({ mixture, schedule }));
  const found = await flowLikelihood({ denoiser, schedule, generator: createGenerator(4), ...options, x0 });
  if (!options.x0) x0.dispose();
  return found!;
}

/** `ln p` of the flow of a Gaussian: its paths are known, `y - m` grows as `sqrt(s^2 + rho^2)`. */
function exactFlow({ means: [mean], std }: GaussianMixture, schedule: Schedule, x: number[]): number {
  const [first, last] = [0, schedule.T - 1].map((t) => Math.hypot(std, rhoOf(schedule, t)));
  const scale = Math.sqrt(schedule.abar[schedule.T - 1]);
  return x.reduce((sum, value, d) => {
    const end = scale * (mean[d] + ((value - mean[d]) * last) / first);
    return sum + logDensity(end, { mean: 0, variance: 1 }) + Math.log((scale * last) / first);
  }, 0);
}

/** `ln q` of data with the noise of the first step, at x. */
const noisy = (mixture: GaussianMixture, { abar }: Schedule, x: number[]): number =>
  mixtureLogDensity(
    mixture,
    x.map((value) => value * Math.sqrt(abar[0])),
    abar[0],
  ) +
  (x.length / 2) * Math.log(abar[0]);

const largest = (values: number[]): number => Math.max(...values.map(Math.abs));

test('more steps: to the exact flow of a Gaussian, four times closer for twice as many', async () => {
  const schedule = cosineSchedule({ T: 161 });
  const errors: number[] = [];
  for (const solverSteps of [20, 40, 80, 160]) {
    const found = await flow({ mixture: gaussian, schedule }, { solverSteps });
    expect(found.nfe).toBe(2 * solverSteps);
    errors.push(largest(places.map((x, i) => found.logDensities[i] - exactFlow(gaussian, schedule, x))));
  }
  expect(errors[3]).toBeLessThan(3e-3);
  for (let i = 0; i < 3; i++) expect(errors[i] / errors[i + 1]).toBeGreaterThan(3.5);
});

test.each([
  ['a Gaussian', gaussian],
  ['two hills', twoHills],
])('%s: the density of the data, to 0.02 nats', async (_, mixture) => {
  const schedule = linearSchedule({ T: 1000, betaStart: 1e-4, betaEnd: 0.02 });
  const found = await flow({ mixture, schedule }, { solverSteps: 333 });
  const exact = places.map((x) => noisy(mixture, schedule, x));
  expect(largest(exact.map((value, i) => value - found.logDensities[i]))).toBeLessThan(0.02);
  // The noise of the first step hardly matters to such wide data.
  const clean = places.map((x) => mixtureLogDensity(mixture, x));
  expect(largest(clean.map((value, i) => value - found.logDensities[i]))).toBeLessThan(0.03);
  found.values.forEach((bits, i) => expect(bits).toBeCloseTo(-found.logDensities[i] / (2 * Math.LN2), 10));
  expect(found.bitsPerDim).toBeCloseTo(
    found.values.reduce((sum, bits) => sum + bits / 4, 0),
    10,
  );
});

test('data that do not vary: the volume is exact in a single step', async () => {
  const still: GaussianMixture = { weights: [1], means: [[0.2, -0.6]], std: 1e-6 };
  const schedule = linearSchedule({ T: 50, rescale: true });
  const found = await flow({ mixture: still, schedule }, { solverSteps: 1 });
  places.forEach((x, i) => {
    const exact = exactFlow(still, schedule, x);
    expect(Math.abs(found.logDensities[i] - exact)).toBeLessThan(1e-4 * Math.abs(exact));
  });
});

describe('the trace', () => {
  const matrix = [
    [2, -1, 0.5],
    [3, 0.25, 1],
    [-2, 4, -1],
  ];
  const linear: Denoiser = (xt) => tf.matMul(xt as tf.Tensor2D, tf.tensor2d(matrix));
  const traceOf = (probes: tf.Tensor, count: number): number[] =>
    tf.tidy(() => {
      const xt = createGenerator(1).normal([count, 3]);
      const [eps, trace] = epsAndTrace(linear)(xt, tf.zeros([count], 'int32') as tf.Tensor1D, probes);
      expect(eps.shape).toEqual([count, 3]);
      return Array.from(trace.dataSync());
    });

  test('exact: the sum of the diagonal', () => {
    const probes = exactProbes([3], 4);
    expect(probes.shape).toEqual([3, 4, 3]);
    traceOf(probes, 4).forEach((value) => expect(value).toBeCloseTo(1.25, 5));
    probes.dispose();
  });

  test('random signs: the same in the mean, scattering as the off-diagonal says', () => {
    const count = 4000;
    const probes = randomProbes(2, [count, 3], { generator: createGenerator(2), first: 0 });
    const values = traceOf(probes, count).map((value) => value / 2);
    const signs = Array.from(probes.dataSync());
    probes.dispose();
    expect(signs.every((sign) => Math.abs(sign) === 1)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    // Var v'Av = sum_{i < j} (a_ij + a_ji)^2.
    const std = Math.sqrt((2 ** 2 + 1.5 ** 2 + 5 ** 2) / 2);
    expect(Math.abs(mean - 1.25)).toBeLessThan((3 * std) / Math.sqrt(count));
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
    expect(spread / std).toBeCloseTo(1, 1);
  });
});

test('one random direction: the exact trace in the mean', async () => {
  const schedule = linearSchedule({ T: 100, rescale: true });
  const options = { solverSteps: 33, batchSize: 500 };
  const exact = await flow({ mixture: twoHills, schedule }, options);
  const x0 = tf.tidy(() => tf.tile(tf.tensor2d([places[1]]), [500, 1]));
  const found = await flow({ mixture: twoHills, schedule }, { ...options, x0, probes: 1 });
  x0.dispose();
  expect(found.standardError).toBeGreaterThan(0);
  expect(Math.abs(found.bitsPerDim - exact.values[1])).toBeLessThan(3 * found.standardError);
});

test('images, uniformly spread over their bins, in bits of a grey level', async () => {
  const schedule = cosineSchedule({ T: 60 });
  const mixture: GaussianMixture = { weights: [1], means: [[0.1, 0.2, 0.3, -0.4]], std: 0.6 };
  const levels = [0, 90, 200, 255, 30, 40, 50, 60];
  const x0 = tf.tensor4d(
    levels.map((level) => level / 127.5 - 1),
    [2, 2, 2, 1],
  );
  const generator = createGenerator(4);
  const found = await flow(
    { mixture, schedule },
    {
      x0,
      probes: 'exact',
      batchSize: 1,
      dequantise: 'uniform',
    },
  );
  const u = generator.fork('dequantise').uniform([2, 2, 2, 1], { min: -1 / 255, max: 1 / 255 });
  const spread = tf.tidy(() => tf.add(x0, u).reshape([2, 4]).arraySync() as number[][]);
  tf.dispose([x0, u]);
  spread.forEach((x, i) => {
    expect(Math.abs(found.logDensities[i] - exactFlow(mixture, schedule, x))).toBeLessThan(0.02);
    const perDim = -found.logDensities[i] / (4 * Math.LN2);
    expect(found.values[i]).toBeCloseTo(perDim + Math.log2(127.5), 10);
  });
  expect(found.dims).toBe(4);
});

describe('images, with the noise of the first step', () => {
  const valueOf = (level: number) => level / 127.5 - 1;
  const levels = [40, 41];
  const shares = [0.3, 0.7];
  const pixels: GaussianMixture = {
    weights: shares,
    means: levels.map((level) => [valueOf(level)]),
    std: 1e-6,
  };
  const bitsOf = async (logSnrStart: number, kind: 'noise' | 'uniform'): Promise<number[]> => {
    const schedule = logSnrSchedule({ T: 601, logSnrStart, logSnrEnd: -12 });
    const x0 = tf.tensor4d(levels.map(valueOf), [2, 1, 1, 1]);
    const options = {
      x0: tf.tile(x0, [40, 1, 1, 1]),
      probes: 'exact',
      batchSize: 80,
      dequantise: kind,
    } as const;
    const { values } = (await flow({ mixture: pixels, schedule }, options))!;
    tf.dispose([x0, options.x0]);
    return [0, 1].map((i) =>
      values.filter((_, k) => k % 2 === i).reduce((sum, value) => sum + value / 40, 0),
    );
  };

  test('far below a grey level: the bits of neighbouring levels of unequal shares', async () => {
    (await bitsOf(13.3, 'noise')).forEach((bits, i) => expect(bits).toBeCloseTo(-Math.log2(shares[i]), 1));
    // A density taken between the teeth of the comb says next to nothing.
    (await bitsOf(13.3, 'uniform')).forEach((bits, i) =>
      expect(bits).toBeGreaterThan(0.7 - Math.log2(shares[i])),
    );
  });

  test('above a grey level: a bound', async () => {
    const bits = await bitsOf(9, 'noise');
    const exact = shares.map((share) => -share * Math.log2(share)).reduce((a, b) => a + b);
    const mean = bits.reduce((sum, value, i) => sum + shares[i] * value, 0);
    expect(mean).toBeGreaterThan(exact + 0.1);
    expect(mean).toBeLessThan(8);
  });

  test('the comb: ln of the sum of 256 Gaussians a pixel', () => {
    const places = [-1.01, -0.3, 0.0042, 0.98];
    const found = tf.tidy(() => combLogDensity(tf.tensor4d(places, [2, 2, 1, 1]), 0.003).arraySync());
    const tooth = (y: number, level: number) =>
      Math.exp(logDensity(y, { mean: valueOf(level), variance: 9e-6 }));
    const exact = places.map((y) =>
      Math.log(Array.from({ length: 256 }, (_, level) => tooth(y, level)).reduce((a, b) => a + b)),
    );
    expect(found[0]).toBeCloseTo(exact[0] + exact[1], 3);
    expect(found[1]).toBeCloseTo(exact[2] + exact[3], 3);
  });
});

test('compiled or not, whatever the batch; ends where it is stopped', async () => {
  const schedule = linearSchedule({ T: 30, rescale: true });
  const of = { mixture: twoHills, schedule };
  const one = await flow(of, { probes: 1 });
  for (const options of [{ batchSize: 3 }, { eager: true }]) {
    const other = await flow(of, { probes: 1, ...options });
    other.logDensities.forEach((value, i) => expect(value).toBeCloseTo(one.logDensities[i], 3));
  }
  for (const calls of [4, 5]) {
    const stop = createStopToken();
    const onProgress = (nfe: number) => nfe === calls && stop.stop();
    expect(await flow(of, { stop, onProgress })).toBeUndefined();
  }
});
