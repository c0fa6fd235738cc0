/** The benchmark's machinery: its talk with child processes, the order of rounds, and workloads that really run. */
import * as fs from 'fs';
import * as path from 'path';
import { contenders, takesPart } from '../../lib/bench/contenders';
import { jobHandlers } from '../../lib/bench/job';
import { measure, type Entrant } from '../../lib/bench/measure';
import { ourJob, writeReference } from '../../lib/bench/ours';
import { plan, type Planned } from '../../lib/bench/plan';
import { Child } from '../../lib/bench/protocol';
import { stockJob } from '../../lib/bench/stock';
import type { SampleWorkload, TrainWorkload, Workload } from '../../lib/bench/workload';
import { createGenerator, tf } from '../../lib/engine';
import { readSafetensors } from '../../lib/io';
import { createModel } from '../../lib/models';
import { expectNoLeaks } from '../helpers/leaks';
import { temporaryFolder, tinyPreset } from '../helpers/tiny';

const folder = temporaryFolder();
const { model, schedule, training: recipe, sampling } = tinyPreset({ T: 4 });
const train: TrainWorkload = { kind: 'train', model, schedule, recipe, imageSize: 28, batch: 2 };
const steps: SampleWorkload = {
  kind: 'sampleSteps',
  model,
  schedule,
  imageSize: 28,
  batch: 2,
  sampler: 'ddpm',
  group: 3,
  ...sampling,
};
const notes = { model: { kind: 'lecture2025', T: 4, width: 2 } } as const;
const convolution: Workload = { kind: 'convolution', input: [1, 4, 4, 2], kernel: [3, 3, 2, 3], stride: 1 };
const names = { label: 'a workload', group: 'main', seconds: 0, fewest: 3 } as const;

describe('a child', () => {
  const start = (code: string): Child =>
    new Child('the child', [
      process.execPath,
      '-e',
      `const answer = (o) => console.log(JSON.stringify(o));${code}`,
    ]);
  const echo =
    "require('readline').createInterface({ input: process.stdin }).on('line', (l) => answer({ versions: JSON.parse(l) }))";

  test('gets one line and answers with one, as often as it is asked, and ends when it is closed', async () => {
    const child = start(
      `${echo}.on('close', () => require('fs').writeFileSync(${JSON.stringify(path.join(folder, 'bye'))}, ''))`,
    );
    for (const threads of [1, 2]) {
      expect(await child.ask('hello', { threads })).toEqual({ versions: { command: 'hello', threads } });
    }
    child.close();
    await expect(child.ask('hello', { threads: 3 })).rejects.toThrow('the child was closed.');
    while (!fs.existsSync(path.join(folder, 'bye'))) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test.each([
    [
      'an error',
      "process.stdin.once('data', () => answer({ error: 'no such thing' }))",
      /^the child: no such thing$/,
    ],
    ['no JSON', "process.stdin.once('data', () => console.log('oops'))", /answered what is no JSON: oops/],
    [
      'its end',
      "process.stdin.once('data', () => { console.error('a reason'); process.exit(3) })",
      /^the child ended \(exit code 3\); it said:\na reason$/,
    ],
  ])('that answers with %s fails the question', async (_, code, message) => {
    const child = start(code);
    await expect(child.ask('hello', { threads: 1 })).rejects.toThrow(message);
    child.close();
  });

  test('that cannot be started says so; a busy one is not asked again', async () => {
    const missing = new Child('the child', [path.join(folder, 'nothing')]);
    await expect(missing.ask('hello', { threads: 1 })).rejects.toThrow(/^the child cannot be started/);
    const busy = start('process.stdin.resume()');
    const first = busy.ask('hello', { threads: 1 });
    await expect(busy.ask('hello', { threads: 1 })).rejects.toThrow(/still busy/);
    busy.close();
    await expect(first).rejects.toThrow('the child was closed.');
  });
});

describe('measuring', () => {
  /** Contenders that note who was asked what, and answer with made-up times. */
  function field(ids: string[], difference: number | null = 1e-6) {
    const asked: string[] = [];
    const entrants: Entrant[] = ids.map((id, i) => ({
      contender: contenders.find((one) => one.id === id)!,
      child: {
        ask: (async (command: string, { iterations }: { iterations: number }) => {
          asked.push(`${command} ${id}`);
          if (command === 'prepare')
            return { note: '', difference: id.startsWith('torch') ? difference : null };
          return { milliseconds: Array.from({ length: iterations }, (_, k) => 10 * (i + 1) + k) };
        }) as unknown as Child['ask'],
      },
    }));
    return { asked, entrants };
  }
  const planned: Planned = { id: 'x', workload: train, ...names };
  const three = ['ours-float32', 'ours-bfloat16', 'torch-notes'];

  test('goes round by round, each beginning with another contender, and frees everything', async () => {
    const { asked, entrants } = field(three);
    const measured = await measure({ planned, entrants, reference: 'file' });
    expect(asked.slice(0, 6)).toEqual(three.flatMap((id) => [`prepare ${id}`, `run ${id}`]));
    const [a, b, c] = three.map((id) => `run ${id}`);
    expect(asked.slice(6, 15)).toEqual([a, b, c, b, c, a, c, a, b]);
    expect(asked.slice(15)).toEqual(three.map((id) => `release ${id}`));
    expect(measured.map(({ contender }) => contender)).toEqual(three);
    // 50 iterations of 10, 11, ... ms
    expect(measured.map(({ median }) => median)).toEqual([34.5, 44.5, 54.5]);
    expect(measured.every(({ rounds }) => rounds.length === 3)).toBe(true);
  });

  test('refuses peers that compute something else', async () => {
    const { asked, entrants } = field(three, 2e-4);
    await expect(measure({ planned, entrants, reference: 'file' })).rejects.toThrow(
      'PyTorch as the notes computes another network: its outputs differ by 0.0002 on a workload.',
    );
    expect(asked.at(-1)).toBe('prepare torch-notes');
    const { entrants: broken } = field(three, NaN);
    await expect(measure({ planned, entrants: broken })).rejects.toThrow(/differ by NaN/);
  });

  test('asks only those who can, and whom the plan wants', async () => {
    const can = (workload: Workload): string[] =>
      contenders.filter((one) => takesPart(one, workload)).map(({ id }) => id);
    expect(can(convolution)).toEqual(['ours-float32', 'ours-bfloat16']);
    expect(can(steps)).not.toContain('stock');
    expect(can({ ...steps, ...notes })).toContain('stock');
    expect(can(train)).toContain('torch-notes-fused');
    expect(can(steps)).not.toContain('torch-notes-fused');
    const { asked, entrants } = field(three);
    await measure({ planned: { ...planned, only: ({ id }) => id === 'ours-bfloat16' }, entrants });
    expect(new Set(asked.map((text) => text.split(' ')[1]))).toEqual(new Set(['ours-bfloat16']));
  });
});

describe('workloads', () => {
  expectNoLeaks();

  test.each<[string, Workload]>([
    ['a training step', train],
    ["a training step of the notes' network", { ...train, ...notes }],
    ['sampling steps, more than a sample has', steps],
    ['a whole sample', { ...steps, kind: 'sample', sampler: 'ddim', steps: 2 }],
    ['a convolution', convolution],
  ])('%s runs in all of our variants', async (_, workload) => {
    const variants = contenders.filter((one) => one.family === 'ours' && takesPart(one, workload));
    expect(variants.length).toBeGreaterThan(1);
    for (const { variant } of variants) {
      const { prepare, run, release } = jobHandlers(ourJob);
      expect(await prepare({ id: 'x', workload, variant })).toEqual({ note: '', difference: null });
      const { milliseconds } = await run({ id: 'x', iterations: 2 });
      expect(milliseconds.map((value) => value > 0)).toEqual([true, true]);
      await release({ id: 'x' });
      await expect(run({ id: 'x', iterations: 1 })).rejects.toThrow("Nothing is prepared as 'x'.");
    }
  });

  test.each<[string, Workload]>([
    ['training', { ...train, ...notes }],
    ['sampling steps', { ...steps, ...notes }],
  ])("TensorFlow.js' own way of %s runs too, here on our engine", async (_, workload) => {
    const job = stockJob(tf, workload);
    for (let i = 0; i < 2; i++) expect(await job.run()).toBeGreaterThan(0);
    await job.dispose();
  });

  test('TensorFlow.js on its own has neither the U-Net nor whole samples', () => {
    expect(() => stockJob(tf, train)).toThrow(/only the notes' network/);
    expect(() => stockJob(tf, { ...steps, kind: 'sample' })).toThrow(/only training and single steps/);
  });

  test('the reference holds every weight, none of them as it starts, and outputs that depend on them', async () => {
    const file = path.join(folder, 'reference.safetensors');
    await writeReference(train, file);
    const { tensors } = readSafetensors(file);
    const fresh = createModel(model, createGenerator(0));
    for (const [name, variable] of fresh.parameters) {
      expect(Array.from(tensors.get(name)!.data as Float32Array)).not.toEqual(
        Array.from(variable.dataSync()),
      );
    }
    expect([...tensors.keys()].sort()).toEqual(
      [...fresh.parameters.keys(), 'input/xt', 'input/t', 'output/eps'].sort(),
    );
    expect(tensors.get('output/eps')!.data.every((value) => value !== 0)).toBe(true);
    fresh.dispose();
  });
});

test('every workload of the plan is plain data that survives the way to a child', () => {
  const workloads = plan().map(({ workload }) => workload);
  expect(JSON.parse(JSON.stringify(workloads))).toEqual(workloads);
});
