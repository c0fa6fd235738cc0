/** `npm run bench`: its flags. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { cleanPeers, markdown, runBench } from '../bench';
import { writeFileAtomic } from '../io/atomic';
import { checkWritable, runMain, shownPath, userPath } from './common';

interface BenchFlags {
  quick?: boolean;
  peers?: boolean;
  out?: string;
  only?: string[];
  clean?: boolean;
}

const note = `
Close everything else: whatever else runs is measured too. The stock addon of TensorFlow.js takes part where the working
folder has @tensorflow/tfjs-node. TSDIFFUSION_BENCH_PYTHON names a Python that has PyTorch already, or
TSDIFFUSION_BENCH_FOLDER a folder to install it into; TSDIFFUSION_THREADS sets the threads of all.

Examples:
  npm run bench -- --quick
  npm run bench -- --peers --out out/bench
  npm run bench -- --peers --only train_large unet
  npm run bench -- --clean`;

function parse(argv: string[]): BenchFlags {
  return new Command('npm run bench --')
    .description('Measures training and sampling: op by op, compiled, in bfloat16, and PyTorch beside them.')
    .option('--quick', 'at most 4 minutes: fewer rounds, no growth of the cost')
    .option('--peers', 'also PyTorch, installed into .runtime/bench-venv (several GB)')
    .option('--out <folder>', 'also write bench.md and bench.json there')
    .option(
      '--only <start...>',
      'only workloads whose name begins so: train, sample_small, unet, growth, ...',
    )
    .option('--clean', 'remove PyTorch and what torch.compile has kept: after --peers, or alone')
    .addHelpText('after', note)
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<BenchFlags>();
}

/** What is going on, on one line of a terminal; in a file, a line each. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}

/** @throws when there is more to do than that. */
function removePeers(others: BenchFlags = {}): void {
  if (Object.keys(others).length > 0)
    throw new Error(
      '--clean measures nothing: give it alone, or with --peers, to remove PyTorch at the end.',
    );
  const removed = cleanPeers().map(shownPath);
  console.log(removed.length > 0 ? `removed: ${removed.join(', ')}` : 'There is nothing to remove.');
}

void runMain(async () => {
  const { clean, ...flags } = parse(process.argv);
  if (clean && !flags.peers) return removePeers(flags);
  const { out, ...options } = flags;
  const folder = out === undefined ? undefined : userPath(out);
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['bench.md', 'bench.json']) checkWritable(join(folder, name));
  }
  try {
    const report = await runBench({ ...options, onProgress: showProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(markdown(report));
    if (folder !== undefined) {
      writeFileAtomic(join(folder, 'bench.md'), markdown(report));
      writeFileAtomic(join(folder, 'bench.json'), `${JSON.stringify(report, undefined, 2)}\n`);
      console.log(`written: ${shownPath(folder)}`);
    }
  } finally {
    if (clean) removePeers();
  }
});
