/** The work of `npm run train`: trains a preset on MNIST, saves as it goes, resumes what was interrupted. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { batchCount, loadMnist } from '../datasets';
import { signalLeft } from '../diffusion';
import { device } from '../engine';
import { presetNamed, type Preset } from '../models';
import {
  exportWeights,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
  startRun,
  train,
  type CheckpointInfo,
  type Run,
} from '../training';
import { createProgress, formatDuration } from '../viz';
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
function withFlags(preset: Preset, { batchSize, lr }: TrainFlags): Preset {
  return {
    ...preset,
    training: {
      ...preset.training,
      batchSize: batchSize ?? preset.training.batchSize,
      learningRate: lr ?? preset.training.learningRate,
    },
  };
}

function prepare(flags: TrainFlags): Run {
  const { train: dataset } = loadMnist(flags.data ? { directory: userPath(flags.data) } : {});
  if (flags.resume === undefined) {
    const preset = withFlags(presetNamed(flags.preset), flags);
    return startRun({ preset, dataset, seed: flags.seed, epochs: flags.epochs, steps: flags.steps });
  }
  const { state, info } = resumeTraining(userPath(flags.resume));
  return startRun({ preset: info.preset, dataset, seed: info.seed, steps: info.totalSteps, state });
}

function announce({ info, options }: Run): void {
  const { state, dataset, schedule, batchSize = 128 } = options;
  const epochs = info.totalSteps / batchCount(dataset, { batchSize });
  const where = device();
  console.log(
    `${info.preset.name}: ${state.model.parameterCount.toLocaleString('en')} parameters, seed ${info.seed}, ` +
      `${info.totalSteps} steps of ${batchSize} images (${epochs.toFixed(2)} epochs), ` +
      `on ${where.name} with ${where.threads} threads`,
  );
  const warning = signalLeft(schedule);
  if (warning) console.log(`note: ${warning}`);
  if (state.step > 0) console.log(`going on from step ${state.step}`);
}

/** Trains to the end or to Ctrl-C, with a checkpoint and a line of the log every `saveEvery` steps and at the end. */
async function work({ info, options }: Run, file: string, saveEvery: number): Promise<void> {
  const { state } = options;
  const stop = stopOnSignal();
  const begin = performance.now();
  const progress = createProgress({ total: info.totalSteps, label: 'training', start: state.step });
  let losses: number[] = [];
  const save = (): void => {
    saveCheckpoint(file, state, info);
    if (losses.length === 0) return;
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    printLine(
      `step ${state.step}  mean loss ${mean.toFixed(4)}  ${formatDuration(performance.now() - begin)}`,
    );
    losses = [];
  };
  try {
    for await (const { step, loss } of train({ ...options, stop })) {
      losses.push(loss);
      progress.update(step, `loss ${loss.toFixed(4)}`);
      if (step % saveEvery === 0 && step < info.totalSteps) save();
    }
  } finally {
    progress.end();
  }
  save();
}

/** Trains as the flags say. */
export async function runTraining(flags: TrainFlags): Promise<void> {
  const { file, exportFile } = outputs(flags);
  const run = prepare(flags);
  const { info, options } = run;
  const { state } = options;
  announce(run);

  const first = state.step;
  const begin = performance.now();
  await work(run, file, flags.saveEvery);
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
    const speed =
      state.step > first ? `${(seconds / (state.step - first)).toFixed(3)} s a step` : 'was finished already';
    console.log(`${speed}; saved ${shown}`);
    if (exportFile) {
      exportWeights(exportFile, state, info);
      console.log(`averaged weights: ${shownPath(exportFile)}`);
    }
    console.log(`see it: npm run sample -- --checkpoint ${shown} --count 64 --seed 0 --out digits.png`);
  }
  run.dispose();
}
