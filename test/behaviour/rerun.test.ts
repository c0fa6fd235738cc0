/** Readers run cells again and again: a cell that makes a network, trains it or samples from it must leave no tensor behind. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { execute, notebookFolder, printed, writeNotebook } from '../helpers/notebooks';

const REPEATS = 3;
const imports = `
import { createGenerator, createProgress, createSchedule, imageGrid, loadMnist, presets, sample, showImage,
  sliceDataset, startRun, tf, train, type Preset, type Run } from 'tsdiffusion';
const preset: Preset = {
  ...presets.small,
  schedule: { kind: 'cosine', T: 10 }, model: { kind: 'unet', channels: [4, 8], blocks: [0, 1] },
  training: { ...presets.small.training, batchSize: 4 },
};
const dataset = sliceDataset(loadMnist().train, 'train', 0, 64);
let run: Run | undefined;`;
const model = `
run?.dispose();
run = startRun({ preset, dataset, seed: 0, steps: 1000 });`;
const training = `
async function trainOn(steps: number) {
  const progress = createProgress({ total: steps, label: 'training' });
  const first = run.options.state.step;
  for await (const { step } of train({ ...run.options, untilStep: first + steps })) progress.update(step - first);
  progress.end();
}
await trainOn(3);`;
const sampling = `
const images = await sample({
  denoiser: run.options.state.model.predict, schedule: createSchedule(preset.schedule),
  generator: createGenerator(0), shape: [2, 28, 28, 1],
});
const grid = imageGrid(images);
images.dispose();
showImage(grid, { alt: 'Noise' });`;
const count = 'console.log(tf.memory().numTensors);';

let folder: string;
let counts: Record<string, number[]>;

beforeAll(() => {
  folder = notebookFolder('rerun');
  const file = path.join(folder, 'rerun.ipynb');
  const cells = [imports];
  const places: Record<string, number[]> = {};
  for (const [name, source] of Object.entries({ model, training, sampling })) {
    places[name] = [];
    for (let i = 0; i < REPEATS; i++) {
      cells.push(source, count);
      places[name].push(cells.length - 1);
    }
  }
  writeNotebook(file, cells);
  const { results } = execute([file], ['--write']);
  expect(results.get('rerun')).toMatchObject({ ok: true, failures: [] });
  counts = Object.fromEntries(
    Object.entries(places).map(([name, list]) => [name, list.map((cell) => Number(printed(file, cell)))]),
  );
}, 120_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test.each(['model', 'training', 'sampling'])('a %s cell run three times', (name) => {
  const [first] = counts[name];
  expect(first).toBeGreaterThan(0);
  expect(counts[name]).toEqual(Array(REPEATS).fill(first));
});

test('training and sampling keep nothing at all', () => {
  expect(counts.sampling).toEqual(counts.model);
});
