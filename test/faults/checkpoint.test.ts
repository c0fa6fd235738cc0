/** Damaged, foreign and missing checkpoints. */
import * as fs from 'fs';
import * as path from 'path';
import fc from 'fast-check';
import { tf } from '../../lib/engine';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../../lib/io';
import {
  exportWeights,
  loadModel,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
} from '../../lib/training';
import { refused } from '../helpers/checkpoint';
import { expectNoLeaks } from '../helpers/leaks';
import { losses, temporaryFolder, tinyRun } from '../helpers/tiny';

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
