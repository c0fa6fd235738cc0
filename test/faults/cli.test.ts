/** Wrong flags and files: one clear sentence, exit code 1, nothing left behind. */
import * as fs from 'fs';
import * as path from 'path';
import { exportWeights, saveCheckpoint } from '../../lib/training';
import { program, runNode, temporaryFolder, tinyRun } from '../helpers/tiny';

jest.setTimeout(180_000); // each program is a process of its own; a busy machine starts it slowly
const folder = temporaryFolder();

beforeAll(async () => {
  const run = tinyRun({ steps: 2 });
  await saveCheckpoint(path.join(folder, 'tiny.ckpt'), run.options.state, run.info);
  await exportWeights(path.join(folder, 'weights.ckpt'), run.options.state, run.info);
  run.dispose();
  fs.writeFileSync(
    path.join(folder, 'damaged.ckpt'),
    fs.readFileSync(path.join(folder, 'tiny.ckpt')).subarray(0, 999),
  );
  fs.mkdirSync(path.join(folder, 'folder'));
});

const cases: ['train' | 'sample', string, RegExp][] = [
  [
    'train',
    '--preset big',
    /option '--preset <name>' argument 'big' is invalid\. Allowed choices are lecture2025, small/,
  ],
  ['train', '--epochs -1', /option '--epochs <n>' argument '-1' is invalid\. Give a number above 0/],
  ['train', '--epochs two', /'two' is invalid\. Give a number above 0/],
  ['train', '--epochs 0.00001 --out x.ckpt', /The run has 0 steps: give at least 1 step/],
  ['train', '--steps 0', /'0' is invalid\. Give a whole number of at least 1/],
  ['train', '--steps 5 --epochs 1', /option '--steps <n>' cannot be used with option '--epochs <n>'/],
  ['train', '--batch-size 60000 --out x.ckpt', /batchSize must be a whole number from 1 to 55000/],
  ['train', '--lr 0', /'0' is invalid\. Give a number above 0/],
  ['train', '--seed 1.5', /'1\.5' is invalid\. Give a whole number of at least 0/],
  ['train', '--sead 1', /unknown option '--sead'/],
  ['train', 'small', /too many arguments/],
  ['train', '--out no/such/x.ckpt', /the folder .*no\/such does not exist\. Create it first/],
  ['train', '--out folder', /that is a folder\. Give the name of a file in it/],
  ['train', '--out x.ckpt --export-to x.ckpt', /--export-to names the checkpoint itself, x\.ckpt/],
  ['train', '--out x.ckpt --data folder', /train-images-idx3-ubyte/],
  ['train', '--resume none.ckpt', /none\.ckpt: there is no such file\. Check the path/],
  [
    'train',
    '--resume tiny.ckpt --steps 9',
    /option '--resume <file>' cannot be used with option '--steps <n>'/,
  ],
  ['train', '--resume weights.ckpt', /holds weights only, without the optimiser/],
  ['train', '--resume damaged.ckpt', /damaged\.ckpt: .*The file is damaged/],
  ['sample', '--out x.png', /required option '--checkpoint <file>' not specified/],
  ['sample', '--checkpoint tiny.ckpt', /required option '--out <file>' not specified/],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.png --count 0',
    /'0' is invalid\. Give a whole number of at least 1/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.png --count x',
    /'x' is invalid\. Give a whole number of at least 1/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.png --scale 65',
    /'65' is invalid\. Give a whole number from 1 to 64/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out digits.jpg',
    /option '--out <file>' argument 'digits\.jpg' is invalid\. Its name must end in \.png .* or \.npy/,
  ],
  ['sample', '--checkpoint tiny.ckpt --out no/x.npy', /the folder .*no does not exist\. Create it first/],
  ['sample', '--checkpoint tiny.ckpt --out no/x.png', /the folder .*no does not exist\. Create it first/],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.png --count 1000000',
    /would have 3136 megapixels: ask for fewer, .* or for a \.npy file/,
  ],
  ['sample', '--checkpoint none.ckpt --out x.npy', /none\.ckpt: there is no such file\. Check the path/],
  ['sample', '--checkpoint damaged.ckpt --out x.npy', /damaged\.ckpt: .*The file is damaged/],
  ['sample', '--checkpoint tiny.ckpt --out x.npy --quick', /unknown option '--quick'/],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.npy --sampler euler',
    /'euler' is invalid\. Allowed choices are ddpm, ddim/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.npy --spacing cubic',
    /'cubic' is invalid\. Allowed choices are trailing, leading, linspace, quadratic/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.npy --steps 0',
    /'0' is invalid\. Give a whole number of at least 1/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.npy --steps 21',
    /--steps is 21, but tiny has 20 steps of noise: ask for no more/,
  ],
  [
    'sample',
    '--checkpoint tiny.ckpt --out x.npy --sampler ddim --eta 1.5',
    /'1\.5' is invalid\. It must be a number from 0 to 1/,
  ],
  ['sample', '--checkpoint tiny.ckpt --out x.npy --eta 0.5', /--eta belongs to --sampler ddim/],
];

test('every one of them', async () => {
  const before = fs.readdirSync(folder).sort();
  const waiting = [...cases];
  const seen: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, line, message] = next;
      const { code, stdout, stderr } = await runNode([program(name), ...line.split(' ')], folder);
      const lines = stderr
        .trim()
        .split('\n')
        .filter((text) => text !== '' && !text.startsWith('('));
      const fits =
        code === 1 &&
        stdout === '' &&
        lines.length === 1 &&
        lines[0].startsWith('error: ') &&
        message.test(lines[0]);
      if (!fits) seen.push({ line: `${name} ${line}`, message: String(message), code, stdout, stderr });
    }
  };
  await Promise.all([work(), work()]);
  expect(seen).toEqual([]);
  expect(fs.readdirSync(folder).sort()).toEqual(before);
});

test('with DEBUG a failure shows where it happened', async () => {
  const script = `process.env.DEBUG = '1'; process.argv = ['node', 'x', '--resume', 'none.ckpt']; require(${JSON.stringify(program('train'))});`;
  const { code, stderr } = await runNode(['-e', script], folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/Error: .*none\.ckpt[\s\S]*\n\s+at /);
});
