/** What `npm run bench` says to flags and surroundings that do not fit; nothing is measured here. */
import * as fs from 'fs';
import * as path from 'path';
import { peerPython } from '../../lib/bench/peers';
import { resolveStock } from '../../lib/bench/stockPackage';
import { program, runNode, temporaryFolder } from '../helpers/tiny';

const folder = temporaryFolder();
const bench = (...flags: string[]) => runNode([program('bench'), ...flags], folder);

test('--help lists every flag and an example', async () => {
  const { code, stdout, stderr } = await bench('--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const flag of ['--quick', '--peers', '--out <folder>', '--only <start...>', '--clean'])
    expect(stdout).toContain(`  ${flag} `);
  expect(stdout).toContain('npm run bench -- --quick');
});

test.each([
  [['--fast'], /^error: unknown option '--fast'/],
  [['--out'], /^error: option '--out <folder>' argument missing/],
  [['--only'], /^error: option '--only <start...>' argument missing/],
  [
    ['--quick', '--only', 'nonsense'],
    /^error: No workload begins with 'nonsense'; there are train_large, .+\.\n$/,
  ],
])('%j is refused before anything starts', async (flags, message) => {
  const { code, stdout, stderr } = await bench(...flags);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(message);
});

test('a folder that cannot be written is refused first, too', async () => {
  fs.writeFileSync(path.join(folder, 'file'), '');
  const { code, stdout, stderr } = await bench('--out', 'file', '--only', 'nonsense');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^error: .*file/);
});

test('a Python without PyTorch is refused, and nothing is installed instead', async () => {
  process.env.TSDIFFUSION_BENCH_PYTHON = path.join(folder, 'no-python');
  try {
    await expect(peerPython(() => {})).rejects.toThrow(
      /^TSDIFFUSION_BENCH_PYTHON is .+, which has no PyTorch/,
    );
  } finally {
    delete process.env.TSDIFFUSION_BENCH_PYTHON;
  }
});

describe('--clean', () => {
  const local = path.join(folder, 'local');
  const environment = { ...process.env };
  beforeEach(() => {
    for (const name of ['bench-venv/bin', 'bench-compiled', 'tensorflow'])
      fs.mkdirSync(path.join(local, name), { recursive: true });
    fs.writeFileSync(path.join(local, 'bench-venv', 'bin', 'python'), '');
    process.env.TSDIFFUSION_BENCH_FOLDER = local;
  });
  afterEach(() => {
    process.env = { ...environment };
  });

  test('alone removes PyTorch and what was compiled, nothing beside them, and measures nothing', async () => {
    const first = await bench('--clean');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toBe(`removed: ${['bench-venv', 'bench-compiled'].map(shown).join(', ')}\n`);
    expect(fs.readdirSync(local)).toEqual(['tensorflow']);
    expect(await bench('--clean')).toMatchObject({ code: 0, stdout: 'There is nothing to remove.\n' });
  });
  const shown = (name: string): string => path.join('local', name);

  test('with --peers removes them at the end, also when the measurement fails', async () => {
    process.env.TSDIFFUSION_BENCH_PYTHON = path.join(folder, 'no-python');
    const { code, stdout, stderr } = await bench('--peers', '--clean', '--only', 'sample_small');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^removed: /);
    expect(stderr).toMatch(/^error: TSDIFFUSION_BENCH_PYTHON is .+, which has no PyTorch/);
    expect(fs.readdirSync(local)).toEqual(['tensorflow']);
  });

  test('with anything else is refused, and removes nothing', async () => {
    const { code, stderr } = await bench('--clean', '--quick');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'error: --clean measures nothing: give it alone, or with --peers, to remove PyTorch at the end.\n',
    });
    expect(fs.readdirSync(local)).toHaveLength(3);
  });
});

test('the stock addon is looked for in the working folder', () => {
  expect(resolveStock(folder)).toBeUndefined();
  const other = path.join(folder, 'other');
  const own = path.join(other, 'node_modules', '@tensorflow', 'tfjs-node');
  fs.mkdirSync(own, { recursive: true });
  fs.writeFileSync(path.join(own, 'index.js'), '');
  expect(resolveStock(other)).toBe(fs.realpathSync(path.join(own, 'index.js')));
});
