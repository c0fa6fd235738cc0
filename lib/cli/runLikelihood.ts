/** The work of `npm run likelihood`: what MNIST's test images cost under a checkpoint. */
import type { Precision } from '../compile';
import { loadMnist, toBatch } from '../datasets';
import { createSchedule } from '../diffusion';
import { createGenerator, ready } from '../engine';
import { flowLikelihood, variationalBound, type BitsPerDim } from '../likelihood';
import { loadModel } from '../training';
import { createProgress, formatDuration, showTable } from '../viz';
import { stopOnSignal, userPath } from './common';

export interface LikelihoodFlags {
  checkpoint: string;
  count: number;
  seed: number;
  draws: number;
  solverSteps: number;
  flow: boolean;
  precision?: Precision;
  batchSize: number;
  data?: string;
}

/** Measures and prints one table. */
export async function runLikelihood(flags: LikelihoodFlags): Promise<void> {
  const { count, seed, draws, solverSteps, flow, precision, batchSize } = flags;
  await ready();
  const { model, info } = loadModel(userPath(flags.checkpoint));
  const schedule = createSchedule(info.preset.schedule);
  if (flow && solverSteps >= schedule.T) {
    throw new Error(
      `--solver-steps is ${solverSteps}, but ${info.preset.name} has only ${schedule.T} steps.`,
    );
  }
  const { test } = loadMnist(flags.data ? { directory: userPath(flags.data) } : {});
  if (count > test.count) throw new Error(`--count is ${count}, but there are only ${test.count} images.`);
  // Evenly over the file: its first half was written by other people, more neatly, than its second.
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * test.count) / count));
  const x0 = toBatch(test, indices);
  const stop = stopOnSignal();
  const common = {
    denoiser: model.predict,
    schedule,
    x0,
    generator: createGenerator(seed).fork('likelihood'),
    batchSize,
    precision,
    stop,
  };
  const begin = performance.now();
  /** With its bar of progress. */
  async function measured<T>(
    label: string,
    work: (onProgress: (n: number, of: number) => void) => Promise<T>,
  ) {
    let progress: ReturnType<typeof createProgress> | undefined;
    const began = performance.now();
    const result = await work((n, total) => (progress ??= createProgress({ total, label })).update(n));
    progress?.end();
    return { result, time: formatDuration(performance.now() - began) };
  }
  const bound = await measured('bound', (onProgress) =>
    variationalBound({ ...common, variance: 'posterior', steps: { draws }, onProgress }),
  );
  const path = await measured('flow', async (onProgress) =>
    flow ? flowLikelihood({ ...common, solverSteps, onProgress }) : undefined,
  );
  x0.dispose();
  model.dispose();
  if (stop.stopped || !bound.result) {
    console.log('stopped before the end: there is no result');
    process.exitCode = 130;
    return;
  }
  const row = (what: string, value: BitsPerDim, nfe?: number, time?: string) => ({
    what,
    'bits/dim': value.bitsPerDim.toFixed(4),
    'standard error': value.standardError.toFixed(4),
    'network calls an image': nfe,
    time,
  });
  const { reconstruction, steps, prior, nfe } = bound.result;
  showTable(
    [
      row('bound: L_0, the grey levels', reconstruction),
      row('bound: L_1 + ... + L_(T-1), the noise', steps),
      row('bound: L_T, the end', prior),
      row('bound', bound.result, nfe, bound.time),
      ...(path.result ? [row('probability flow', path.result, path.result.nfe, path.time)] : []),
    ],
    {
      caption: `${info.preset.name} (${info.step} training steps), ${count} MNIST test images, seed ${seed}`,
    },
  );
  console.log(`in all ${formatDuration(performance.now() - begin)}`);
}
