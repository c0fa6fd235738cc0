/** The decoder of grey levels: probabilities that sum to 1, far tails, and the same on tensors. */
import { createGenerator, tf } from '../../lib/engine';
import { decoderLogLikelihood, decoderLogProbabilities, decoderLogProbability } from '../../lib/likelihood';
import { erf, lnErfcx, lnErfcxOf } from '../../lib/likelihood/normal';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const means = [-3, -1, -0.9961, -0.3, 0, 1 / 255, 0.77, 1, 1.4];
const stds = [1e-4, 0.003, 0.01, 0.1, 1, 10];
const gaussians = means.flatMap((mean) => stds.map((std) => ({ mean, std })));

test('the error function and its tail have their known values', () => {
  const known: [number, number][] = [
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
  ];
  for (const [x, value] of known) {
    expect(Math.abs(erf(x) - value)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
  }
  expect([erf(0), erf(Infinity), erf(-40)]).toEqual([0, 1, -1]);
  const tails: [number, number][] = [
    [0.5, 0.4795001221869535],
    [1.5, 0.033894853524689274],
    [2, 0.004677734981047266],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
  ];
  for (const [x, value] of tails) expect(Math.abs(lnErfcx(x) - x * x - Math.log(value))).toBeLessThan(1e-13);
  expect(lnErfcx(1.5 - 1e-12)).toBeCloseTo(lnErfcx(1.5), 11);
});

test('the tail on tensors: to 4e-7 for all z', () => {
  const z = [0, 1e-4, 0.1, 0.5, 1, 1.5, 2, 3, 7, 20, 300, 1e4].map(Math.fround);
  const values = tf.tidy(() => Array.from(lnErfcxOf(tf.tensor1d(z)).dataSync()));
  values.forEach((value, i) => {
    const exact = lnErfcx(z[i]);
    expect(Math.abs(value - exact)).toBeLessThan(4e-7 * (1 + Math.abs(exact)));
  });
});

test('256 levels sum to 1', () => {
  for (const gaussian of gaussians) {
    const levels = decoderLogProbabilities(gaussian);
    expect(levels.length).toBe(256);
    const sum = levels.reduce((total, value) => total + Math.exp(value), 0);
    expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
    expect(levels.every((value) => value <= 0 && value > -Infinity)).toBe(true);
  }
});

test('mirrored: level k of mean m is level 255 - k of mean -m', () => {
  for (const { mean, std } of gaussians)
    for (const level of [0, 1, 100, 200, 255]) {
      const one = decoderLogProbability(level, { mean, std });
      const other = decoderLogProbability(255 - level, { mean: -mean, std });
      expect(Math.abs(other - one)).toBeLessThan(1e-11 * (1 + Math.abs(one)));
    }
});

test('with the mean on the level: bits that only the noise of the last step costs', () => {
  const bits = (level: number, std: number): number =>
    -decoderLogProbability(level, { mean: level / 127.5 - 1, std }) / Math.LN2;
  // The integral of the normal density over 1/255 to both sides, or to one.
  for (const std of [0.01, 0.0074]) {
    const inner = erf(1 / 255 / (std * Math.SQRT2));
    expect(bits(100, std)).toBeCloseTo(-Math.log2(inner), 10);
    expect(bits(0, std)).toBeCloseTo(-Math.log2((1 + inner) / 2), 12);
    expect(bits(255, std)).toBeCloseTo(bits(0, std), 12);
  }
  expect(bits(100, 0.01)).toBeCloseTo(1.71, 1);
  expect(bits(0, 0.01)).toBeCloseTo(0.62, 1);
});

test('far from the mean: the asymptotic series of the tail', () => {
  const lnTail = (z: number): number =>
    (-z * z) / 2 - Math.log(z * Math.sqrt(2 * Math.PI)) + Math.log1p(-1 / z ** 2 + 3 / z ** 4 - 15 / z ** 6);
  const std = 0.01;
  const open = (2 - 1 / 255) / std;
  expect(decoderLogProbability(0, { mean: 1, std }) / lnTail(open)).toBeCloseTo(1, 13);
  // Of a bin that is not open nearly all lies at its near edge.
  const near = ((1 / 127.5) * 200 - 1 / 255) / std;
  const wide = lnTail(near) + Math.log1p(-Math.exp(lnTail(near + 2 / 255 / std) - lnTail(near)));
  expect(decoderLogProbability(200, { mean: -1, std }) / wide).toBeCloseTo(1, 13);
});

describe('on tensors', () => {
  const levels = [0, 1, 64, 127, 128, 250, 254, 255];
  const cases = gaussians
    .filter(({ std }) => std >= 0.003)
    .flatMap((g) => levels.map((level) => ({ level, ...g })));
  const x0 = cases.map(({ level }) => level / 127.5 - 1);
  const column = (values: number[]): tf.Tensor => tf.tensor2d(values, [values.length, 1]);

  test('the same numbers', () => {
    const values = tf.tidy(() => {
      const [mean, std] = [column(cases.map((c) => c.mean)), column(cases.map((c) => c.std))];
      return Array.from(decoderLogLikelihood({ x0: column(x0), mean, std }).dataSync());
    });
    cases.forEach(({ level, ...gaussian }, i) => {
      const exact = decoderLogProbability(level, gaussian);
      expect(Math.abs(values[i] - exact)).toBeLessThan(1e-4 + 2e-4 * Math.abs(exact));
    });
  });

  test('a number as std', () => {
    const mean = createGenerator(1).uniform([4, 3, 3, 1], { min: -1, max: 1 });
    const values = tf.tidy(() =>
      Array.from(decoderLogLikelihood({ x0: tf.onesLike(mean), mean, std: 0.2 }).dataSync()),
    );
    mean.dataSync().forEach((m, i) => {
      expect(values[i]).toBeCloseTo(decoderLogProbability(255, { mean: m, std: 0.2 }), 4);
    });
    mean.dispose();
  });

  test('gradients by mean and std are finite, and those of the numbers', () => {
    const grads = tf.tidy(() => {
      const f = tf.grads((mean, std) => tf.sum(decoderLogLikelihood({ x0: column(x0), mean, std })));
      return f([column(cases.map((c) => c.mean)), column(cases.map((c) => c.std))]).map((g) =>
        Array.from(g.dataSync()),
      );
    });
    cases.forEach(({ level, mean, std }, i) => {
      const h = 1e-5 * std;
      const slope = (d: { mean: number; std: number }): number =>
        (decoderLogProbability(level, { mean: mean + d.mean, std: std + d.std }) -
          decoderLogProbability(level, { mean: mean - d.mean, std: std - d.std })) /
        (2 * h);
      const exact = [slope({ mean: h, std: 0 }), slope({ mean: 0, std: h })];
      exact.forEach((value, j) => {
        expect(Math.abs(grads[j][i] - value)).toBeLessThan(2e-3 * (Math.abs(value) + 1 / std));
      });
    });
  });
});
