/** One step of a variational diffusion model against gradients by hand, and what training moves. */
import { gaussianMixture, type ImageDataset } from '../../lib/datasets';
import { createGenerator, tf } from '../../lib/engine';
import { unet } from '../../lib/models';
import {
  byLevel,
  createVdmState,
  evaluateVdm,
  fixedGamma,
  gammaValues,
  keepAveragedWeights,
  linearGamma,
  monotoneGamma,
  quantised,
  trainVdm,
  vdmMlp,
  vdmTerms,
  withAveragedWeights,
  type GammaSchedule,
  type VdmTrainOptions,
} from '../../lib/vdm';
import { gradientsOf } from '../../lib/vdm/step';
import { packGradients } from '../../lib/training/packing';
import { randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const ends = { gammaMin: -8, gammaMax: 4 };
const mixture = { weights: [0.5, 0.5], means: [[0.5, 0], [-0.5, 0.2]], std: 0.1 }; // prettier-ignore
const dataset = quantised(gaussianMixture({ count: 512, generator: createGenerator(1), mixture }), [-1, 1]);
const small = (): ReturnType<typeof vdmMlp> =>
  vdmMlp({ dims: 2, width: 16, depth: 1, generator: createGenerator(2) });

/** A batch of four samples, to be freed. */
const batchOf = (generator = createGenerator(6)) => ({
  x0: tf.tensor2d([...dataset.points.slice(0, 8)], [4, 2]),
  times: tf.tensor1d([0.1, 0.35, 0.6, 0.85]),
  eps: generator.fork('eps').normal([4, 2]),
  eps0: generator.fork('eps0').normal([4, 2]),
});

describe('the gradients of a step', () => {
  const compare = (found: tf.Tensor, expected: tf.Tensor): void => {
    const difference = tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0];
    expect(difference / tf.max(tf.abs(expected)).dataSync()[0]).toBeLessThan(1e-4);
  };

  test.each([undefined, 20])('are those of the bound, T = %s', (T) => {
    const [network, schedule] = [small(), monotoneGamma({ ...ends, units: 5 })];
    randomise(network.parameters, createGenerator(4));
    tf.tidy(() => {
      const batch = batchOf();
      const found = gradientsOf({ network, schedule }, { T, interior: 'bound' }, batch);
      const all = [...network.parameters.values(), ...schedule.ends.values(), ...schedule.interior.values()];
      const { value, grads } = tf.variableGrads(() => {
        const terms = vdmTerms({ ...batch, schedule, denoiser: network.predict, T });
        return tf.mean(tf.addN([terms.prior, terms.reconstruction, terms.diffusion]));
      }, all);
      compare(found.network, packGradients([...network.parameters.values()], grads));
      const learned = [...schedule.ends.values(), ...schedule.interior.values()];
      compare(found.schedule!, packGradients(learned, grads));
      expect(tf.sum(found.means.slice(0, 3)).dataSync()[0] / value.dataSync()[0]).toBeCloseTo(1, 5);
    });
    network.dispose();
    schedule.dispose();
  });

  test('the interior gets that of the mean square of the losses, the ends that of the bound', () => {
    const [network, schedule] = [small(), monotoneGamma({ ...ends, units: 5 })];
    randomise(network.parameters, createGenerator(4));
    tf.tidy(() => {
      const batch = batchOf();
      const found = gradientsOf({ network, schedule }, { interior: 'variance' }, batch);
      const interior = [...schedule.interior.values()];
      const { grads } = tf.variableGrads(
        () => tf.mean(tf.square(vdmTerms({ ...batch, schedule, denoiser: network.predict }).diffusion)),
        interior,
      );
      compare(found.schedule!.slice(2), packGradients(interior, grads));
      const still = gradientsOf({ network, schedule }, { interior: 'none' }, batch);
      compare(still.schedule!.slice(0, 2), found.schedule!.slice(0, 2));
      expect(tf.max(tf.abs(still.schedule!.slice(2))).dataSync()[0]).toBe(0);
    });
    network.dispose();
    schedule.dispose();
  });
});

/** Trains a fresh network, and hands the state over before all is freed. */
async function trained<R>(
  schedule: GammaSchedule,
  more: Partial<VdmTrainOptions>,
  use: (losses: number[], evaluate: () => Promise<number>) => Promise<R>,
): Promise<R> {
  const network = small();
  const state = createVdmState({ network, schedule, emaDecay: 0.9 });
  const losses: number[] = [];
  const options = { dataset, generator: createGenerator(3), untilStep: 60, batchSize: 64, ...more };
  for await (const { bitsPerDim } of trainVdm({ state, ...options })) losses.push(bitsPerDim);
  const evaluate = async (): Promise<number> => {
    const one = { denoiser: network.predict, schedule, dataset, generator: createGenerator(5) };
    const result = await withAveragedWeights(state, () => evaluateVdm(one));
    return result!.bitsPerDim;
  };
  const result = await use(losses, evaluate);
  state.dispose();
  network.dispose();
  schedule.dispose();
  return result;
}

test('the bound falls, and the averaged weights have it too', async () => {
  await trained(fixedGamma(ends), { learningRate: 5e-3 }, async (losses, evaluate) => {
    const late = losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10;
    expect(losses).toHaveLength(60);
    expect(late).toBeLessThan(losses[0] - 0.8);
    expect(await evaluate()).toBeLessThan(losses[0] - 0.8);
  });
});

test('the same steps in one go and in two', async () => {
  const run = async (stops: number[]): Promise<number[]> => {
    const [network, schedule] = [small(), linearGamma(ends)];
    const state = createVdmState({ network, schedule });
    const losses: number[] = [];
    for (const untilStep of stops) {
      const options = { state, dataset, generator: createGenerator(3), untilStep, batchSize: 128 };
      for await (const { loss } of trainVdm(options)) losses.push(loss);
    }
    expect(state.compiled).toHaveLength(1);
    state.dispose();
    network.dispose();
    schedule.dispose();
    return losses;
  };
  expect(await run([3, 6])).toEqual(await run([6]));
});

test('learned ends move; fixed ones stay, while the inside moves', async () => {
  const endsAfter = (schedule: GammaSchedule, more: Partial<VdmTrainOptions> = {}): Promise<number[]> =>
    trained(schedule, { untilStep: 20, scheduleRate: 0.05, ...more }, async () =>
      (await gammaValues(schedule, [0, 0.5, 1])).gamma.map((value) => Number(value.toFixed(3))),
    );
  const fresh = monotoneGamma({ ...ends, learnEnds: false });
  const [before] = (await gammaValues(fresh, [0.5])).gamma;
  fresh.dispose();
  const moved = await endsAfter(linearGamma(ends));
  expect(Math.abs(moved[0] - -8)).toBeGreaterThan(0.05);
  expect(Math.abs(moved[2] - 4)).toBeGreaterThan(0.05);
  const inside = await endsAfter(monotoneGamma({ ...ends, learnEnds: false }));
  expect([inside[0], inside[2]]).toEqual([-8, 4]);
  expect(Math.abs(inside[1] - before)).toBeGreaterThan(0.02);
  const still = await endsAfter(monotoneGamma({ ...ends, learnEnds: false }), { interior: 'none' });
  expect(still[1]).toBeCloseTo(before, 3);
});

test('discrete steps, independent times, no decoder, a weight', async () => {
  const weight = (gamma: tf.Tensor): tf.Tensor => tf.fill(gamma.shape, 0.5);
  const more = { T: 10, times: 'independent' as const, decoder: 'none' as const, weight, untilStep: 5 };
  await trained(monotoneGamma(ends), more, async (losses) => expect(losses).toHaveLength(5));
});

test('images, and a U-Net that counts steps', async () => {
  const generator = createGenerator(7);
  const pixels = generator.fork('pixels').integers([6, 64], { max: 256 });
  const images: ImageDataset = {
    ...{ kind: 'images', name: 'noise', split: 'train', count: 6, height: 8, width: 8, channels: 1 },
    ...{ images: Uint8Array.from(pixels.dataSync()), labels: new Uint8Array(6), classes: 1, range: [-1, 1] },
  };
  pixels.dispose();
  const model = unet({ channels: [9, 10], blocks: [0, 1], imageSize: 8, generator });
  const schedule = linearGamma(ends);
  const network = { parameters: model.parameters, predict: byLevel(model.predict) };
  const state = createVdmState({ network, schedule });
  const seen: number[] = [];
  for await (const { bitsPerDim } of trainVdm({
    state,
    dataset: images,
    generator,
    untilStep: 3,
    batchSize: 4,
  }))
    seen.push(bitsPerDim);
  const found = await evaluateVdm({ denoiser: network.predict, schedule, dataset: images, generator });
  // Noise cannot be compressed: 8 bits a pixel.
  expect(seen).toHaveLength(3);
  expect(found!.bitsPerDim).toBeGreaterThan(8);
  expect(found!.dims).toBe(64);
  expect((await gammaValues(schedule, [0])).gamma[0]).not.toBe(ends.gammaMin);
  state.dispose();
  model.dispose();
  schedule.dispose();
});

test('stops between two steps', async () => {
  const stop = { stopped: false };
  const network = small();
  const state = createVdmState({ network, schedule: fixedGamma(ends) });
  const options = { state, dataset, generator: createGenerator(3), untilStep: 50, batchSize: 64, stop };
  for await (const { step } of trainVdm(options)) if (step === 3) stop.stopped = true;
  expect(state.step).toBe(3);
  state.dispose();
  network.dispose();
});

test('the trained weights come back after the averaged ones, also after an error', async () => {
  const network = small();
  const state = createVdmState({ network, schedule: fixedGamma(ends) });
  const kernel = network.parameters.get('input/kernel') as tf.Variable;
  tf.tidy(() => kernel.assign(tf.add(kernel, 1)));
  const before = Array.from(kernel.dataSync());
  await expect(
    withAveragedWeights(state, async () => {
      expect(Array.from(kernel.dataSync())[0]).toBeCloseTo(before[0] - 1, 5);
      throw new Error('in between');
    }),
  ).rejects.toThrow('in between');
  expect(Array.from(kernel.dataSync())).toEqual(before);
  keepAveragedWeights(state);
  expect(Array.from(kernel.dataSync())[0]).toBeCloseTo(before[0] - 1, 5);
  state.dispose();
  network.dispose();
});
