/** The work of `npm run train`: trains a preset on MNIST, saves as it goes, resumes what was interrupted. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { batchCount, loadMnist, type Dataset } from '../datasets';
import type { Precision } from '../compile';
import { signalLeft } from '../diffusion';
import { createGenerator, device, ready } from '../engine';
import { presetNamed, type Preset } from '../models';
import type { StopToken } from '../stop';
import {
  averagedModel,
  exportWeights,
  lossByBand,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
  startRun,
  stuckLoss,
  train,
  validationLoss,
  type CheckpointInfo,
  type Run,
  type ValidationOptions,
} from '../training';
import { createProgress, formatDuration, showTable } from '../viz';
import { checkWritable, printLine, shownPath, stopOnSignal, userPath } from './common';

export interface TrainFlags {
  preset: string;
  epochs?: number;
  steps?: number;
  batchSize?: number;
  lr?: number;
  seed: number;
  out?: string;
  resume?: string;
  saveEvery: number;
  exportTo?: string;
  data?: string;
  eager?: boolean;
  precision?: Precision;
}

/** The checkpoint that the run writes, and the file of the exported weights. */
function outputs({ preset, out, resume, exportTo }: TrainFlags): { file: string; exportFile?: string } {
  const chosen = out ?? resume;
  const file = chosen ? userPath(chosen) : resolve('data', 'runs', `${preset}.safetensors`);
  const exportFile = exportTo && userPath(exportTo);
  if (exportFile === file) {
    throw new Error(`--export-to names the checkpoint itself, ${shownPath(file)}: give it another name.`);
  }
  if (!chosen) mkdirSync(dirname(file), { recursive: true });
  checkWritable(file);
  if (exportFile) checkWritable(exportFile);
  if (resume === undefined) refuseToLoseWork(file);
  return { file, exportFile };
}

/** To forget `--resume` must not cost the hours that an interrupted run has taken. */
function refuseToLoseWork(file: string): void {
  let info: CheckpointInfo | undefined;
  try {
    if (existsSync(file)) info = readCheckpointInfo(file);
  } catch {
    // no checkpoint, or one that nobody can use
  }
  if (info?.kind === 'training' && info.step < info.totalSteps) {
    const shown = shownPath(file);
    throw new Error(
      `${shown} holds an interrupted run (${info.step} of ${info.totalSteps} steps): go on with --resume ${shown}, ` +
        'choose another --out, or delete the file.',
    );
  }
}

/** The preset with the user's changes. */
function withFlags(preset: Preset, { batchSize, lr, eager, precision }: TrainFlags): Preset {
  return {
    ...preset,
    training: {
      ...preset.training,
      batchSize: batchSize ?? preset.training.batchSize,
      learningRate: lr ?? preset.training.learningRate,
      ...(eager && { eager }),
      ...(precision && { precision }),
    },
  };
}

function prepare(flags: TrainFlags): { run: Run; validation: Dataset } {
  const { train: dataset, validation } = loadMnist(flags.data ? { directory: userPath(flags.data) } : {});
  if (flags.resume === undefined) {
    const preset = withFlags(presetNamed(flags.preset), flags);
    const { seed, epochs, steps } = flags;
    return { run: startRun({ preset, dataset, seed, epochs, steps }), validation };
  }
  const { state, info } = resumeTraining(userPath(flags.resume));
  const { preset, seed, totalSteps: steps } = info;
  return { run: startRun({ preset, dataset, seed, steps, state }), validation };
}

function announce({ info, options }: Run): void {
  const { state, dataset, schedule, batchSize = 128 } = options;
  const epochs = info.totalSteps / batchCount(dataset, { batchSize });
  const where = device();
  console.log(
    `${info.preset.name}: ${state.model.parameterCount.toLocaleString('en')} parameters, seed ${info.seed}, ` +
      `${info.totalSteps} steps of ${batchSize} images (${epochs.toFixed(2)} epochs), ` +
      `on ${where.name}${where.kind === 'webgpu' ? ' through WebGPU' : ` with ${where.threads} threads`}`,
  );
  const warning = signalLeft(schedule);
  if (warning) console.log(`note: ${warning}`);
  if (state.step > 0) console.log(`going on from step ${state.step}`);
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Measures the averaged weights, those that are sampled from, on digits that were not trained on. */
async function validate<T>(
  { info, options: { state, schedule } }: Run,
  dataset: Dataset,
  measure: (options: ValidationOptions) => Promise<T>,
): Promise<T> {
  const model = averagedModel(state);
  try {
    const generator = createGenerator(info.seed).fork('validation');
    return await measure({ denoiser: model.predict, schedule, dataset, generator });
  } finally {
    model.dispose();
  }
}

/** Trains to the end or to Ctrl-C; every `saveEvery` steps and at the end a checkpoint and a line of the log. */
async function work(
  run: Run,
  {
    validation,
    file,
    saveEvery,
    stop,
  }: { validation: Dataset; file: string; saveEvery: number; stop: StopToken },
): Promise<void> {
  const { info, options } = run;
  const { state } = options;
  const begin = performance.now();
  const progress = createProgress({ total: info.totalSteps, label: 'training', start: state.step });
  const losses: number[] = [];
  let reported = 0;
  let held = '';
  let warning: string | undefined;
  const report = async (): Promise<void> => {
    await saveCheckpoint(file, state, info);
    const since = losses.slice(reported);
    reported = losses.length;
    if (since.length === 0) return;
    const value = await validate(run, validation, (what) => validationLoss({ ...what, stop }));
    held = Number.isNaN(value) ? '' : `  validation ${value.toFixed(4)}`;
    const time = formatDuration(performance.now() - begin);
    printLine(`step ${state.step}  mean loss ${mean(since).toFixed(4)}${held}  ${time}`);
    if (warning === undefined && (warning = stuckLoss(losses))) printLine(`WARNING: ${warning}`);
  };
  try {
    for await (const { step, loss } of train({ ...options, stop })) {
      losses.push(loss);
      progress.update(step, `loss ${loss.toFixed(4)}${held}`);
      if (step % saveEvery === 0 && step < info.totalSteps) await report();
    }
  } finally {
    progress.end();
  }
  await report();
}

/** Where the loss comes from: the mean over all t hides that little noise is hard to tell, and much noise easy. */
async function showBands(run: Run, validation: Dataset, stop: StopToken): Promise<void> {
  const count = Math.min(2000, validation.count);
  const bands = Math.min(10, run.options.schedule.T);
  const losses = await validate(run, validation, (what) => lossByBand({ ...what, count, bands, stop }));
  if (stop.stopped) return;
  showTable(
    losses.map(({ from, to, loss, standardError }) => ({ t: `${from} to ${to}`, loss, '+-': standardError })),
    { caption: `Loss of the averaged weights on ${count} validation images, by t` },
  );
}

/** Trains as the flags say. */
export async function runTraining(flags: TrainFlags): Promise<void> {
  const { file, exportFile } = outputs(flags);
  await ready();
  const { run, validation } = prepare(flags);
  const { info, options } = run;
  const { state } = options;
  announce(run);

  const stop = stopOnSignal();
  const first = state.step;
  const begin = performance.now();
  await work(run, { validation, file, saveEvery: flags.saveEvery, stop });
  const seconds = (performance.now() - begin) / 1000;
  const shown = shownPath(file);
  if (state.step < info.totalSteps) {
    const again = [
      `--resume ${shown}`,
      ...(flags.data ? [`--data ${shownPath(userPath(flags.data))}`] : []),
      ...(exportFile ? [`--export-to ${shownPath(exportFile)}`] : []),
    ];
    console.log(`stopped at step ${state.step} and saved; go on with: npm run train -- ${again.join(' ')}`);
    process.exitCode = 130;
  } else {
    await showBands(run, validation, stop);
    const speed =
      state.step > first ? `${(seconds / (state.step - first)).toFixed(3)} s a step` : 'was finished already';
    console.log(`${speed}; saved ${shown}`);
    if (exportFile) {
      await exportWeights(exportFile, state, info);
      console.log(`averaged weights: ${shownPath(exportFile)}`);
    }
    console.log(`see it: npm run sample -- --checkpoint ${shown} --count 64 --seed 0 --out digits.png`);
  }
  run.dispose();
}
