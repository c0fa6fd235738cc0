/** Held-out loss: against closed forms, comparable between calls, leak-free. */
import { gaussianMixture, loadMnist, ringMixture } from '../../lib/datasets';
import { linearSchedule, type Denoiser } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { createModel, presets } from '../../lib/models';
import { mixtureDenoiser } from '../../lib/oracle';
import { createStopToken } from '../../lib/stop';
import { lossByBand, startRun, stuckLoss, train, validationLoss } from '../../lib/training';
import { expectNoLeaks } from '../helpers/leaks';
import { tinyPreset } from '../helpers/tiny';

expectNoLeaks();

const schedule = linearSchedule({ T: 100, rescale: true });
const generator = createGenerator(0);
const ring = gaussianMixture({ count: 4000, generator: createGenerator(1) });
const zero: Denoiser = (xt) => tf.zerosLike(xt);

test('a network that says 0 costs 1 in every band', async () => {
  const options = { denoiser: zero, schedule, dataset: ring, generator, count: 4000, batchSize: 1000 };
  expect(Math.abs((await validationLoss(options)) - 1)).toBeLessThan(0.06);
  const bands = await lossByBand({ ...options, bands: 4 });
  expect(bands.map(({ from, to }) => [from, to])).toEqual([
    [0, 24],
    [25, 49],
    [50, 74],
    [75, 99],
  ]);
  for (const { loss, standardError, count } of bands) {
    expect(Math.abs(count - 1000)).toBeLessThanOrEqual(2);
    // (z1^2 + z2^2) / 2 has variance 1.
    expect(Math.abs(standardError - 1 / Math.sqrt(1000))).toBeLessThan(0.01);
    expect(Math.abs(loss - 1)).toBeLessThan(5 * standardError);
  }
});

test('knowing the noise costs 0, and no network beats the oracle', async () => {
  const options = { schedule, dataset: ring, generator, count: 2000, batchSize: 2000 };
  const best = await lossByBand({
    ...options,
    denoiser: mixtureDenoiser({ mixture: ringMixture, schedule }),
  });
  const half = await lossByBand({
    ...options,
    denoiser: (xt, t) => mixtureDenoiser({ mixture: ringMixture, schedule })(xt, t).mul(0.9),
  });
  best.forEach(({ loss }, band) => expect(loss).toBeLessThan(half[band].loss));
  // Little noise is hard to see, much noise easy: the loss falls with t.
  expect(best[0].loss).toBeGreaterThan(5 * best[9].loss);
});

test('the same for any batch size and in every call; a stopped one is NaN', async () => {
  const model = createModel(presets.small.model, createGenerator(0));
  const options = {
    denoiser: model.predict,
    schedule,
    dataset: loadMnist().validation,
    generator,
    count: 12,
  };
  const first = await validationLoss({ ...options, batchSize: 12 });
  expect(await validationLoss({ ...options, batchSize: 5 })).toBeCloseTo(first, 6);
  expect(await validationLoss({ ...options, batchSize: 12 })).toBe(first);
  const stop = createStopToken();
  stop.stop();
  expect(await validationLoss({ ...options, stop })).toBeNaN();
  let looks = 0;
  const later = {
    get stopped() {
      return ++looks > 1;
    },
  };
  expect(await validationLoss({ ...options, batchSize: 5, stop: later })).toBeNaN();
  expect(looks).toBe(2);
  model.dispose();
});

test('an MLP learns the ring by the same loop, to within 15 % of the best possible loss', async () => {
  const preset = {
    ...tinyPreset({
      training: { epochs: 20, batchSize: 200, learningRate: 3e-3, emaDecay: 0.99 },
    }),
    name: 'ring',
    schedule: { kind: 'linear', T: 100, betaStart: 1e-4, betaEnd: 0.02, rescale: true },
    model: { kind: 'mlp', dims: 2, width: 64 },
  } as const;
  const run = startRun({ preset, dataset: ring, seed: 1 });
  for await (const { loss } of train(run.options)) expect(loss).toBeLessThan(3);
  const held = gaussianMixture({ count: 4000, generator: createGenerator(2), split: 'validation' });
  const options = { schedule, dataset: held, generator, count: 4000, batchSize: 4000 };
  const learned = await validationLoss({ ...options, denoiser: run.options.state.model.predict });
  const best = await validationLoss({
    ...options,
    denoiser: mixtureDenoiser({ mixture: ringMixture, schedule }),
  });
  expect(learned).toBeLessThan(1.15 * best);
  expect(learned).toBeGreaterThan(best);
  run.dispose();
});

test('a loss that stays at 1 is noticed, one that falls is not', () => {
  expect(stuckLoss(new Array(500).fill(1.004))).toMatch(/has learned nothing/);
  expect(stuckLoss(new Array(499).fill(1))).toBeUndefined();
  expect(stuckLoss(new Array(500).fill(0.97))).toBeUndefined();
  expect(stuckLoss([...new Array(500).fill(1), ...new Array(500).fill(0.2)])).toBeUndefined();
});

test('bad numbers are refused by name', async () => {
  const options = { denoiser: zero, schedule, dataset: ring, generator };
  await expect(validationLoss({ ...options, count: 5000 })).rejects.toThrow(/count = 5000/);
  await expect(validationLoss({ ...options, batchSize: 0 })).rejects.toThrow(/batchSize = 0/);
  await expect(lossByBand({ ...options, bands: 101 })).rejects.toThrow(/bands = 101/);
});
