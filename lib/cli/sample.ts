/** `npm run sample`: its flags. TensorFlow is loaded after they are read, so that help and mistakes show at once. */
import { extname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { runMain, wholeNumber } from './common';
import type { SampleFlags } from './runSampling';

function pictureOrArray(file: string): string {
  if (['.png', '.npy'].includes(extname(file).toLowerCase())) return file;
  throw new InvalidArgumentError('Its name must end in .png (a picture) or .npy (a NumPy array).');
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

const examples = `
Examples:
  npm run sample -- --checkpoint data/runs/small.safetensors --count 64 --seed 0 --out digits.png
  npm run sample -- --checkpoint data/runs/small.safetensors --sampler ddim --steps 20 --out digits.png
  npm run sample -- --checkpoint data/runs/small.safetensors --count 10000 --out digits.npy`;

function parse(argv: string[]): SampleFlags {
  return new Command('npm run sample --')
    .description('Draws images from a checkpoint that `npm run train` wrote.')
    .requiredOption('--checkpoint <file>', 'the checkpoint')
    .option('--count <n>', 'how many images', wholeNumber(1), 64)
    .option('--seed <n>', 'image i is the same for the same seed, whatever the count', wholeNumber(0), 0)
    .requiredOption(
      '--out <file>',
      '.png: a picture of them all; .npy: a NumPy array, uint8 [count, 28, 28]',
      pictureOrArray,
    )
    .addOption(
      new Option('--sampler <name>', "ddpm: the preset's own; ddim: made for few steps")
        .choices(['ddpm', 'ddim'])
        .default('ddpm'),
    )
    .option(
      '--steps <n>',
      'network calls for each image (default: all steps of the schedule)',
      wholeNumber(1),
    )
    .addOption(
      new Option('--spacing <name>', 'how they are chosen')
        .choices(['trailing', 'leading', 'linspace', 'quadratic'])
        .default('trailing'),
    )
    .option('--eta <x>', 'ddim: fresh noise, 0 (none) to 1 (as much as ddpm)', share)
    .addOption(
      new Option('--precision <type>', 'of the products in the network (default: float32)').choices([
        'float32',
        'bfloat16',
      ]),
    )
    .addOption(new Option('--eager', 'op by op instead of a compiled network').conflicts('precision'))
    .option('--batch-size <n>', 'images at a time; does not change them', wholeNumber(1), 64)
    .option('--columns <n>', 'columns of the picture (default: about square)', wholeNumber(1))
    .option('--scale <n>', 'pixels of the picture for each pixel of an image', wholeNumber(1, 64), 2)
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<SampleFlags>();
}

void runMain(async () => {
  const flags = parse(process.argv);
  const { runSampling } = await import('./runSampling');
  await runSampling(flags);
});
