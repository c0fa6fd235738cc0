/** Ancestral sampling from gamma, against closed forms and against DDPM. */
import { createGenerator, tf } from '../../lib/engine';
import { pure } from '../../lib/compile';
import { ddpm } from '../../lib/sampling';
import {
  alphaOf,
  ancestral,
  ancestralCoefficients,
  fixedGamma,
  gammaOf,
  mixtureGammaDenoiser,
  monotoneGamma,
  sampleVdm,
  scheduleFromGammas,
  sigmaOf,
  type AncestralOptions,
} from '../../lib/vdm';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const ends = { gammaMin: -9, gammaMax: 6 };
const mean = 0.3;
const std = 0.4;
const denoiser = mixtureGammaDenoiser({ weights: [1], means: [[mean]], std });
const common = { denoiser, shape: [4000, 1], generator: createGenerator(3) };

async function last(options: AncestralOptions): Promise<number[]> {
  let values: number[] = [];
  for await (const { zt } of ancestral(options)) values = [...zt.dataSync()];
  return values;
}

describe.each([1, 4, 30, 200])('%s steps on a Gaussian', (steps) => {
  test('mean and deviation follow the closed-form recursion', async () => {
    const schedule = fixedGamma(ends);
    // epsHat is linear in z, so z stays Gaussian: its mean and variance step by step.
    let [m, v] = [0, 1];
    for (let i = steps; i > 0; i--) {
      const [gammaS, gammaT] = [schedule.at((i - 1) / steps).gamma, schedule.at(i / steps).gamma];
      const c = ancestralCoefficients({ gammaS, gammaT });
      const sigma = sigmaOf(gammaT);
      const pull = sigma / (alphaOf(gammaT) ** 2 * std ** 2 + sigma ** 2);
      const a = c.zt + c.eps * pull;
      m = a * m - c.eps * pull * alphaOf(gammaT) * mean;
      v = a * a * v + c.z ** 2;
    }
    const values = await last({ ...common, schedule, steps });
    const found = values.reduce((sum, x) => sum + x, 0) / values.length;
    const spread = values.reduce((sum, x) => sum + (x - found) ** 2, 0) / values.length;
    expect(Math.abs(found - m)).toBeLessThan(4 * Math.sqrt(v / values.length));
    expect(Math.abs(spread / v - 1)).toBeLessThan(4 * Math.sqrt(2 / values.length));
    if (steps === 200) expect(Math.abs(m - mean)).toBeLessThan(0.01);
    if (steps === 200) expect(Math.abs(Math.sqrt(v) - std)).toBeLessThan(0.01);
  });
});

test('is DDPM with the posterior variance on the table of the same levels, on the same noise', async () => {
  const steps = 12;
  const gammas = Array.from({ length: steps + 1 }, (_, i) => -9 + (15 * i) / steps);
  const table = scheduleFromGammas(gammas);
  const generator = createGenerator(5);
  // The streams of noise have other names here and there.
  const renamed = {
    ...generator,
    fork: (...path: (string | number)[]) => generator.fork(...(path[0] === 'z_1' ? ['x_T'] : path)),
  } as typeof generator;
  const shape = [6, 1];
  const ours = await last({ denoiser, schedule: fixedGamma(ends), steps, shape, generator: renamed });
  let theirs: number[] = [];
  const byStep = (xt: tf.Tensor, t: tf.Tensor1D): tf.Tensor =>
    denoiser(xt, tf.gather(tf.tensor1d(gammas), t) as tf.Tensor1D);
  for await (const { tPrev, xt } of ddpm({
    denoiser: (xt, t) => tf.tidy(() => byStep(xt, t)),
    schedule: table,
    variance: 'posterior',
    shape,
    generator,
  })) {
    if (tPrev === 0) theirs = [...xt.dataSync()];
  }
  ours.forEach((value, i) => expect(value).toBeCloseTo(theirs[i], 4));
});

test('compiled and op by op, and sample by sample', async () => {
  const schedule = fixedGamma(ends);
  const options = { denoiser, schedule, steps: 6, shape: [8, 1], generator: createGenerator(1) };
  const all = await last(options);
  const eager = await last({ ...options, eager: true });
  const plain = await last({ ...options, denoiser: (zt, gamma) => denoiser(zt, gamma) });
  const later = await last({ ...options, shape: [3, 1], firstSample: 5 });
  all.forEach((value, i) => expect(eager[i]).toBeCloseTo(value, 4));
  all.forEach((value, i) => expect(plain[i]).toBeCloseTo(value, 4));
  later.forEach((value, i) => expect(value).toBeCloseTo(all[5 + i], 4));
});

test('levels at the end, most probable or drawn; any schedule', async () => {
  const schedule = monotoneGamma(ends);
  const options = { denoiser, schedule, steps: 20, shape: [50, 1], generator: createGenerator(1) };
  const [most, drawn] = [await sampleVdm(options), await sampleVdm({ ...options, decode: 'draw' })];
  schedule.dispose();
  for (const each of [most, drawn]) {
    Array.from(each!.dataSync()).forEach((x) => {
      const level = (x + 1) * 127.5;
      expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-3);
    });
  }
  const [a, b] = [most, drawn].map((each) => Array.from(each!.dataSync()));
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i])))).toBeLessThan(0.1);
  tf.dispose([most!, drawn!]);
});

test('what it yields, and what is left when one breaks out or stops', async () => {
  const schedule = fixedGamma(ends);
  const options = { denoiser, schedule, steps: 4, shape: [2, 1], generator: createGenerator(1) };
  const seen: number[][] = [];
  for await (const { t, s, gammaT, gammaS, nfe } of ancestral(options))
    seen.push([t, s, gammaT, gammaS, nfe]);
  expect(seen.map((row) => row.map((value) => Number(value.toFixed(3))))).toEqual([
    [1, 0.75, 6, 2.25, 1],
    [0.75, 0.5, 2.25, -1.5, 2],
    [0.5, 0.25, -1.5, -5.25, 3],
    [0.25, 0, -5.25, -9, 4],
  ]);
  for await (const { nfe } of ancestral(options)) if (nfe === 2) break;
  expect(await sampleVdm({ ...options, stop: { stopped: true } })).toBeUndefined();
});

test('a denoiser that fails leaves nothing', async () => {
  const failing = pure((zt: tf.Tensor): tf.Tensor => {
    throw new Error(`no answer for [${zt.shape}]`);
  });
  const options = { schedule: fixedGamma(ends), steps: 4, shape: [2, 1], generator: createGenerator(1) };
  await expect(sampleVdm({ ...options, denoiser: failing })).rejects.toThrow('no answer for [2,1]');
});

test('gammaOf finds the level of a share of signal', () => {
  expect(gammaOf(0.5)).toBeCloseTo(0, 12);
});
