/** A preset, runs and child processes that are small enough for tests. */
import { spawn } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { loadMnist, sliceDataset, type ImageDataset } from '../../lib/datasets';
import { tf } from '../../lib/engine';
import { presets, type Preset } from '../../lib/models';
import { startRun, train, type Run, type TrainingState } from '../../lib/training';
import type { StopToken } from '../../lib/stop';

export const root = path.join(__dirname, '..', '..');

/** A U-Net of few parameters on MNIST's size, with all of `small`'s machinery: clip, cosine, moving average. */
export function tinyPreset(changes: { T?: number; training?: Partial<Preset['training']> } = {}): Preset {
  const { T = 20, training } = changes;
  return {
    ...presets.small,
    name: 'tiny',
    schedule: { kind: 'cosine', T },
    model: { kind: 'unet', channels: [4, 8], blocks: [0, 1] },
    training: {
      epochs: 1,
      batchSize: 4,
      learningRate: 3e-3,
      decay: 'cosine',
      emaDecay: 0.9,
      clipNorm: 1,
      ...training,
    },
  };
}

let mnist: ImageDataset | undefined;
/** The first training digits: 14 of them are 3 batches of 4 an epoch, with 2 left out. */
export function digits(count = 14): ImageDataset {
  mnist ??= loadMnist().train;
  return sliceDataset(mnist, 'train', 0, count);
}

export function tinyRun(
  options: { preset?: Preset; steps?: number; seed?: number; state?: TrainingState } = {},
): Run {
  return startRun({ preset: tinyPreset(), dataset: digits(), seed: 1, steps: 10, ...options });
}

/** Trains until `untilStep` (by default the end of the run) and returns the losses. */
export async function losses(run: Run, untilStep?: number, stop?: StopToken): Promise<number[]> {
  const list: number[] = [];
  const until = untilStep ?? run.options.untilStep;
  for await (const { loss } of train({ ...run.options, untilStep: until, stop })) list.push(loss);
  return list;
}

/** Every number of a state, for comparison bit for bit. */
export function numbersOf({ step, model, adam, ema }: TrainingState) {
  const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());
  return {
    steps: [step, adam.step, ema.step],
    weights: Object.fromEntries([...model.parameters].map(([name, x]) => [name, values(x)])),
    moments: [values(adam.firstMoment), values(adam.secondMoment)],
    ema: values(ema.packed),
  };
}

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs Node with the compiled package in reach (`require('tsdiffusion')`), as if the user had typed it in `folder`.
 *
 * `onOutput` is called with all output so far whenever there is more, and may send a signal.
 */
export function runNode(
  args: string[],
  folder: string,
  onOutput?: (output: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, INIT_CWD: folder } });
  const result = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      result[name] += text;
      onOutput?.(result.stdout + result.stderr, (signal) => void child.kill(signal));
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...result }));
  });
}

/** The compiled program behind `npm run <name>`. */
export function program(name: 'train' | 'sample' | 'likelihood' | 'bench'): string {
  return path.join(root, 'node_modules', 'tsdiffusion', 'cli', `${name}.js`);
}
