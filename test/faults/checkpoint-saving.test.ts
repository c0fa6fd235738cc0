/** Saving that fails, is killed, or replaces a checkpoint, and the one before that is kept. */
import * as fs from 'fs';
import * as path from 'path';
import { createGenerator, tf } from '../../lib/engine';
import {
  exportWeights,
  loadModel,
  previousFile,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
} from '../../lib/training';
import { refused } from '../helpers/checkpoint';
import { expectNoLeaks } from '../helpers/leaks';
import { losses, runNode, temporaryFolder, tinyPreset, tinyRun } from '../helpers/tiny';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);

expectNoLeaks();

test('a checkpoint that cannot be written is an error, keeps no tensor and leaves the training alive', async () => {
  const run = tinyRun({ steps: 3 });
  await losses(run, 2);
  const { state } = run.options;
  for (const save of [saveCheckpoint, exportWeights])
    await expect(save(at('no/such/folder.safetensors'), state, run.info)).rejects.toThrow(
      /folder .* does not exist/,
    );
  expect(await losses(run)).toHaveLength(1);
  run.dispose();
});

test('a process that is killed while it saves leaves the old or the new checkpoint whole', async () => {
  const file = at('killed.safetensors');
  const script = `
    const t = require('tsdiffusion');
    const preset = ${JSON.stringify(tinyPreset())};
    const run = t.startRun({ preset, dataset: { count: 100 }, seed: 0, steps: 1e9 });
    void (async () => {
      for (let step = 1; ; step++) {
        run.options.state.step = step;
        await t.saveCheckpoint(${JSON.stringify(file)}, run.options.state, run.info);
        if (step === 1) require('fs').writeSync(1, 'saved');
      }
    })();`;
  const steps: number[] = [];
  const generator = createGenerator(0);
  for (let round = 0; round < 8; round++) {
    const { signal, stderr } = await runNode(['-e', script], folder, (output, kill) => {
      // Another phase of the write each time: of the new file, or of the name of the old one.
      const [wait] = tf.tidy(() => generator.fork(round).uniform([1]).dataSync());
      if (output === 'saved') setTimeout(() => kill('SIGKILL'), 40 * wait);
    });
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
    const { state, info } = resumeTraining(file);
    expect(info.step).toBeGreaterThanOrEqual(1);
    steps.push(info.step);
    state.dispose();
    state.model.dispose();
    if (fs.existsSync(previousFile(file))) readCheckpointInfo(previousFile(file));
  }
  expect(Math.max(...steps)).toBeGreaterThan(1);
  expect(fs.existsSync(previousFile(file))).toBe(true);
});

describe('the checkpoint before', () => {
  const file = at('run.safetensors');
  const previous = at('run.previous.safetensors');

  test('is kept, one step back, and offered when the last one is damaged', async () => {
    const run = tinyRun({ steps: 4 });
    for (const until of [1, 2, 3]) {
      await losses(run, until);
      await saveCheckpoint(file, run.options.state, run.info);
    }
    run.dispose();
    expect([readCheckpointInfo(file).step, readCheckpointInfo(previous).step]).toEqual([3, 2]);
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
    refused(
      file,
      /The checkpoint before it is whole \(step 2\): use .*run\.previous\.safetensors; training goes on from there with --resume .*run\.previous\.safetensors --out .*run\.safetensors\.$/,
    );
    const { state } = resumeTraining(previous);
    // A damaged file does not take the place of the good one before it.
    await saveCheckpoint(file, state, run.info);
    state.dispose();
    state.model.dispose();
    expect([readCheckpointInfo(file).step, readCheckpointInfo(previous).step]).toEqual([2, 2]);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.run.'))).toEqual([]);
  });

  test('is the old content, and no link to the new one, if the name is a link', async () => {
    const run = tinyRun({ steps: 2 });
    await saveCheckpoint(at('target.safetensors'), run.options.state, run.info);
    fs.symlinkSync('target.safetensors', at('link.safetensors'));
    for (const until of [1, 2]) {
      await losses(run, until);
      await saveCheckpoint(at('link.safetensors'), run.options.state, run.info);
    }
    run.dispose();
    const steps = ['link', 'target', 'link.previous'].map(
      (name) => readCheckpointInfo(at(`${name}.safetensors`)).step,
    );
    expect(steps).toEqual([2, 2, 1]);
  });

  test('is not offered when it is damaged too', () => {
    for (const name of [file, previous]) fs.writeFileSync(name, 'nothing');
    expect(() => loadModel(file)).toThrow(/run\.safetensors/);
    expect(() => loadModel(file)).not.toThrow(/before it/);
  });
});
