/** Training that is interrupted and resumed: the same numbers as without. */
import * as path from 'path';
import { twoMoons, type Dataset } from '../../lib/datasets';
import { createGenerator } from '../../lib/engine';
import { type Preset } from '../../lib/models';
import { resumeTraining, saveCheckpoint, startRun, train, type TrainingState } from '../../lib/training';
import { digits, losses, numbersOf, temporaryFolder, tinyPreset, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

const folder = temporaryFolder();

expectNoLeaks();

describe('resuming', () => {
  test('10 steps are 5, a file, and 5 more: bit for bit, across the shuffle of a new epoch', async () => {
    const whole = tinyRun();
    const epochs: number[] = [];
    const expected: number[] = [];
    for await (const { loss, epoch } of train(whole.options)) {
      expected.push(loss);
      epochs.push(epoch);
    }
    expect(epochs).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);

    const file = path.join(folder, 'resume.safetensors');
    for (const half of [5, 6, 2]) {
      // In the middle of an epoch, between two, and in the first.
      const run = tinyRun();
      const first = await losses(run, half);
      await saveCheckpoint(file, run.options.state, run.info);
      const saved = numbersOf(run.options.state);
      run.dispose();

      const { state, info } = resumeTraining(file);
      expect(info).toEqual({ ...run.info, step: half, kind: 'training' });
      expect(numbersOf(state)).toEqual(saved);
      const rest = tinyRun({ preset: info.preset, seed: info.seed, steps: info.totalSteps, state });
      expect([...first, ...(await losses(rest))]).toEqual(expected);
      expect(numbersOf(state)).toEqual(numbersOf(whole.options.state));
      rest.dispose();
    }
    whole.dispose();
  });

  test.each<[string, Preset, Dataset]>([
    ['slices', tinyPreset({ training: { batchSize: 5, sliceSize: 2 } }), digits()],
    [
      'points',
      {
        ...tinyPreset({ training: { batchSize: 50, sliceSize: 20 } }),
        model: { kind: 'mlp', dims: 2, width: 8 },
      },
      twoMoons({ count: 200, generator: createGenerator(3) }),
    ],
  ])('the same with %s', async (name, preset, dataset) => {
    const file = path.join(folder, `${name}.safetensors`);
    const start = (state?: TrainingState) => startRun({ preset, dataset, seed: 4, steps: 10, state });
    const [whole, half] = [start(), start()];
    const expected = await losses(whole);
    const first = await losses(half, 5);
    await saveCheckpoint(file, half.options.state, half.info);
    half.dispose();
    const { state, info } = resumeTraining(file);
    expect(info.preset).toEqual(preset);
    const rest = start(state);
    expect([...first, ...(await losses(rest))]).toEqual(expected);
    expect(numbersOf(state)).toEqual(numbersOf(whole.options.state));
    for (const run of [whole, rest]) run.dispose();
  });

  test('a finished run has nothing left to do', async () => {
    const run = tinyRun({ steps: 2 });
    expect(await losses(run)).toHaveLength(2);
    const end = numbersOf(run.options.state);
    expect(await losses(run)).toEqual([]);
    expect(numbersOf(run.options.state)).toEqual(end);
    run.dispose();
  });
});
