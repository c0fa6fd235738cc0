/** What training refuses, and that nothing stays in memory then. */
import { createGenerator, tf } from '../../lib/engine';
import { createModel, type Preset } from '../../lib/models';
import { createTrainingState, startRun } from '../../lib/training';
import { digits, losses, numbersOf, tinyPreset, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

describe('startRun refuses', () => {
  const start =
    (changes: Partial<Preset['training']>, rest: object = {}) =>
    () =>
      startRun({ preset: tinyPreset({ training: changes }), dataset: digits(), seed: 0, steps: 4, ...rest });

  test.each<[string, () => unknown, RegExp]>([
    [
      'a batch larger than the dataset',
      start({ batchSize: 15 }),
      /batchSize must be a whole number from 1 to 14 .*not 15/,
    ],
    ['an empty batch', start({ batchSize: 0 }), /batchSize must be .*not 0/],
    ['half a picture', start({ batchSize: 2.5 }), /batchSize must be .*not 2.5/],
    ['no steps', start({}, { steps: 0 }), /The run has 0 steps: give at least 1 step/],
    ['half a step', start({}, { steps: 1.5 }), /The run has 1.5 steps/],
    [
      'no epoch',
      start({}, { steps: undefined, epochs: 0.01 }),
      /The run has 0 steps: .*more epochs than 0.01/,
    ],
    ['an average that never forgets', start({ emaDecay: 1 }), /emaDecay = 1: use a number in \[0, 1\)/],
    ['a decay that is no number', start({ emaDecay: NaN }), /emaDecay = NaN/],
    ['a clip at nothing', start({ clipNorm: 0 }), /clipNorm = 0: use a number above 0/],
    ['a learning rate below 0', start({ learningRate: -1 }), /learningRate = -1: use a number above 0/],
    ['a learning rate that is no number', start({ learningRate: NaN }), /learningRate = NaN/],
    ['a negative seed', start({}, { seed: -1 }), /seed/],
    ['a schedule of no steps', start({}, { preset: tinyPreset({ T: 0 }) }), /T/],
    [
      'a network that does not fit together',
      start({}, { preset: { ...tinyPreset(), model: { kind: 'unet', channels: [8], blocks: [1, 1] } } }),
      /channels has 1 levels and blocks 2/,
    ],
  ])('%s', (_, action, message) => expect(action).toThrow(message));
});

test('a state with a bad option frees what it had made', () => {
  const model = createModel(tinyPreset().model, createGenerator(0));
  expect(() => createTrainingState({ model, emaDecay: 2 })).toThrow(/emaDecay = 2/);
  expect(() => createTrainingState({ model, adam: { beta1: 7 } })).toThrow(/beta1 = 7/);
  model.dispose();
});

test.each(['lecture2025', 'unet'])(
  'training of %s that diverges says so, and what to change',
  async (kind) => {
    const preset = tinyPreset({ training: { learningRate: 1e9, decay: 'none', clipNorm: undefined } });
    if (kind === 'lecture2025') preset.model = { kind, T: 20 };
    const run = tinyRun({ preset, steps: 50 });
    await expect(losses(run)).rejects.toThrow(/training diverged.*smaller learningRate than 1000000000/);
    run.dispose();
  },
);

test.each([0, -1, 2.5, NaN])('slices of %p are refused', async (sliceSize) => {
  const run = tinyRun({ preset: tinyPreset({ training: { sliceSize } }) });
  await expect(losses(run)).rejects.toThrow(`sliceSize = ${sliceSize}: use a whole number of at least 1`);
  run.dispose();
});

test('a network that fails in the middle of a step leaves a whole state, which can go on', async () => {
  const preset = tinyPreset({ training: { eager: true } }); // a compiled step calls its network only once
  const [whole, run] = [tinyRun({ preset }), tinyRun({ preset })];
  const expected = await losses(whole);
  const { state } = run.options;
  let calls = 0;
  const failing = {
    ...state,
    model: {
      ...state.model,
      predict: (x: tf.Tensor, t: tf.Tensor1D) => {
        if (++calls === 3) throw new Error('the power went');
        return state.model.predict(x, t);
      },
    },
  };
  const first: number[] = [];
  const broken = { ...run, options: { ...run.options, state: failing } };
  first.push(...(await losses(broken, 2)));
  const before = numbersOf(failing);
  await expect(losses(broken)).rejects.toThrow('the power went');
  expect(numbersOf(failing)).toEqual(before);
  first.push(...(await losses(broken)));
  expect(first).toEqual(expected);
  for (const each of [whole, run]) each.dispose();
});

test('a dataset of another size than the network is an error that names both', async () => {
  const preset: Preset = {
    ...tinyPreset(),
    model: { kind: 'unet', imageSize: 32, channels: [4], blocks: [1] },
  };
  const run = tinyRun({ preset });
  await expect(losses(run)).rejects.toThrow(
    'xt has shape [4,28,28,1], but this network reads [B, 32, 32, 1]',
  );
  run.dispose();
});
