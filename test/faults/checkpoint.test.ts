/** Damaged, foreign and missing checkpoints, and a kill while one is written. */
import * as fs from 'fs';
import * as path from 'path';
import fc from 'fast-check';
import { createGenerator, tf } from '../../lib/engine';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../../lib/io';
import {
  exportWeights,
  loadModel,
  previousFile,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
} from '../../lib/training';
import { losses, runNode, temporaryFolder, tinyPreset, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const good = at('good.safetensors');
const weights = at('weights.safetensors');

beforeAll(async () => {
  const run = tinyRun({ steps: 4 });
  await losses(run, 2);
  await saveCheckpoint(good, run.options.state, run.info);
  await exportWeights(weights, run.options.state, run.info);
  run.dispose();
});

expectNoLeaks();

/** Every way to open a checkpoint refuses this one. */
function refused(file: string, message: RegExp): void {
  for (const open of [loadModel, resumeTraining]) expect(() => open(file)).toThrow(message);
}

/** The good checkpoint with its content changed, as a file. */
function changed(
  change: (tensors: Map<string, StoredTensor>, metadata: Record<string, string>) => void,
): string {
  const { tensors, metadata } = readSafetensors(good);
  delete metadata.sha256; // as a file made by another program
  change(tensors, metadata);
  writeSafetensors(at('changed.safetensors'), tensors, metadata);
  return at('changed.safetensors');
}

test('a missing file, a folder and an empty file are named, with what to do', () => {
  refused(at('none.safetensors'), /none\.safetensors: there is no such file\. Check the path/);
  refused(folder, /that is a folder/);
  fs.writeFileSync(at('empty'), '');
  refused(at('empty'), /empty: it has only 0 bytes/);
});

test('a file cut at any length is refused', () => {
  const bytes = fs.readFileSync(good);
  const cut = at('cut.safetensors');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
      fs.writeFileSync(cut, bytes.subarray(0, length));
      refused(cut, /cut\.safetensors.*(damaged|cut off)/);
    }),
    { seed: 0, numRuns: 40 },
  );
});

test('a flipped bit of the header is refused by a sentence that names the file, or harmless', () => {
  const bytes = fs.readFileSync(good);
  const header = 8 + Number(bytes.readBigUInt64LE());
  const flipped = at('flipped.safetensors');
  let refusals = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: header * 8 - 1 }), (bit) => {
      const copy = Buffer.from(bytes);
      copy[bit >> 3] ^= 1 << (bit & 7);
      fs.writeFileSync(flipped, copy);
      const all = tf.memory().numTensors;
      try {
        const { state } = resumeTraining(flipped);
        state.dispose();
        state.model.dispose();
      } catch (error) {
        refusals++;
        expect((error as Error).message).toContain('flipped.safetensors');
        expect((error as Error).message).not.toMatch(/undefined \(|is not a function/);
      }
      expect(tf.memory().numTensors).toBe(all);
    }),
    { seed: 0, numRuns: 200 },
  );
  expect(refusals).toBeGreaterThan(180);
});

test('a safetensors file of somebody else is refused as what it is', () => {
  const foreign = at('foreign.safetensors');
  writeSafetensors(foreign, [['weight', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]]);
  refused(foreign, /foreign\.safetensors is no checkpoint of this library \(format missing/);
  refused(
    changed((_, metadata) => (metadata.format = 'tsdiffusion-checkpoint-9')),
    /format tsdiffusion-checkpoint-9, expected tsdiffusion-checkpoint-1/,
  );
});

test.each<[string, (info: Record<string, any>) => unknown]>([
  ['no JSON', () => '{"preset":'],
  ['null', () => null],
  ['a negative step', (info) => ({ ...info, step: -1 })],
  ['a seed that is text', (info) => ({ ...info, seed: '1' })],
  ['no preset', ({ preset: _, ...info }) => info],
  ['no schedule', (info) => ({ ...info, preset: { ...info.preset, schedule: undefined } })],
  ['an unknown kind', (info) => ({ ...info, kind: 'half' })],
])('information that is damaged (%s) is refused', (_, change) => {
  const file = changed((__, metadata) => {
    const info = change(JSON.parse(metadata.info));
    metadata.info = typeof info === 'string' ? info : JSON.stringify(info);
  });
  refused(file, /changed\.safetensors is damaged: what it says about its network cannot be read/);
  expect(() => readCheckpointInfo(file)).toThrow(/is damaged/);
});

test('a missing information, and a network that cannot be built, are refused', () => {
  refused(
    changed((_, metadata) => delete metadata.info),
    /is damaged/,
  );
  const withModel = (model: object): string =>
    changed((_, metadata) => {
      const info = JSON.parse(metadata.info);
      metadata.info = JSON.stringify({ ...info, preset: { ...info.preset, model } });
    });
  refused(withModel({ kind: 'unet' }), /changed\.safetensors cannot be used, its network cannot be built/);
  refused(withModel({ kind: 'vae' }), /its kind must be/);
  refused(
    withModel({ kind: 'unet', channels: [4, 12], blocks: [0, 1] }),
    /has 'ema\/|has 'model\/.* but its preset needs shape/,
  );
  refused(
    withModel({ kind: 'unet', channels: [4, 8], blocks: [1, 1] }),
    /has no tensor '.*\/down0\/block0\/norm1\/gamma'.* made by another version of the network; train it again/,
  );
});

test.each(['model', 'ema', 'adam.m', 'adam.v'])(
  'a checkpoint whose %s is incomplete cannot be resumed',
  (group) => {
    const name = `${group}/input/kernel`;
    expect(() => resumeTraining(changed((tensors) => tensors.delete(name)))).toThrow(
      new RegExp(`has no tensor '${name}', but its preset needs shape \\[3,3,1,4\\]`),
    );
    const reshape = (tensors: Map<string, StoredTensor>): unknown =>
      tensors.set(name, { ...tensors.get(name)!, shape: [9, 4] });
    expect(() => resumeTraining(changed(reshape))).toThrow(`has '${name}' with shape [9,4]`);
  },
);

test('a training checkpoint that lost its optimiser can still be sampled from', () => {
  const file = changed((tensors) => {
    for (const name of [...tensors.keys()]) if (name.startsWith('adam')) tensors.delete(name);
  });
  loadModel(file).model.dispose();
});

test('weights alone cannot be resumed, and say why', () => {
  expect(() => resumeTraining(weights)).toThrow(
    /weights\.safetensors holds weights only, without the optimiser: it can be sampled from, not resumed/,
  );
  loadModel(weights).model.dispose();
});

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

test('a flipped bit of the numbers is noticed', () => {
  const bytes = fs.readFileSync(good);
  const header = 8 + Number(bytes.readBigUInt64LE());
  const flipped = at('bit.safetensors');
  fc.assert(
    fc.property(fc.integer({ min: header * 8, max: bytes.length * 8 - 1 }), (bit) => {
      const copy = Buffer.from(bytes);
      copy[bit >> 3] ^= 1 << (bit & 7);
      fs.writeFileSync(flipped, copy);
      refused(flipped, /is damaged: its numbers/);
    }),
    { seed: 0, numRuns: 20 },
  );
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
