import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { program, root, temporaryFolder } from '../helpers/tiny';
import { onWebgpu } from './helpers/run';

/** Runs code with the compiled library, which is `t` in it. */
function run(code: string, changes: NodeJS.ProcessEnv = {}) {
  const program = `const t = require('tsdiffusion');
    (async () => { ${code} })().catch((error) => { console.error('error: ' + error.message); process.exitCode = 1; });`;
  const env = { ...onWebgpu(), ...changes };
  return spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8', env });
}

test('the device has the name of its adapter, once it is ready', () => {
  const code = `
    const early = [() => t.device(), () => t.tf.add(1, 2)].map((call) => { try { call(); } catch (error) { return error.message; } });
    await t.ready();
    console.log(JSON.stringify({ early, device: t.device() }));`;
  const { stdout, stderr } = run(code);
  expect(stderr).toBe('');
  const { early, device } = JSON.parse(stdout);
  expect(early[0]).toMatch(/`await ready\(\)` first/);
  expect(early[1]).toMatch(/has not yet been initialized/);
  expect(device).toMatchObject({ kind: 'webgpu', name: expect.stringMatching(/\w/) });
});

test('no adapter: says what to install, and how to do without a GPU', () => {
  const { status, stderr } = run('await t.ready();', { VK_ICD_FILENAMES: join(root, 'no-such-driver.json') });
  expect(status).toBe(1);
  expect(stderr).toMatch(/error: TSDIFFUSION_DEVICE=webgpu, .*no adapter.*apt install .*VK_ICD_FILENAMES/);
});

test('no package: says how to get it', () => {
  const hide = `
    const { Module } = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (name.startsWith('webgpu/')) throw new Error('not found');
      return resolve.call(this, name, ...rest);
    };`;
  const env = onWebgpu();
  const code = `${hide} require('tsdiffusion').ready().catch((error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8', env });
  expect(stdout).toMatch(/npm package `webgpu` is missing: run `npm ci`/);
});

test('a value that is on the device alone is not read at once, and is after an await', () => {
  const code = `
    await t.ready();
    const x = t.createGenerator(0).normal([40, 40]);
    const y = x.matMul(x);
    for (const read of [() => y.dataSync(), () => y.arraySync()])
      try { read(); } catch (error) { console.log(error.message); }
    const later = await y.data();
    console.log(x.dataSync().length, y.dataSync()[7] === later[7]);`;
  const { stdout, stderr } = run(code);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^(dataSync and arraySync cannot .*`await x.data\(\)`.*\n){2}1600 true\n$/);
});

test('a tensor may be disposed of while its values are on their way, and nothing of it stays', () => {
  const code = `
    await t.ready();
    const x = t.createGenerator(0).normal([40, 40]);
    const before = t.tf.memory();
    const y = x.matMul(x);
    const values = [y.data(), y.data()];
    y.dispose();
    const [a, b] = await Promise.all(values);
    const after = t.tf.memory();
    console.log(a.length, a[9] === b[9], after.numTensors - before.numTensors, after.numDataBuffers - before.numDataBuffers);`;
  const { stdout, stderr } = run(code);
  expect([stdout, stderr]).toEqual(['1600 true 0 0\n', '']);
});

test('compiled functions run op by op, and only in float32', () => {
  const code = `
    await t.ready();
    const double = t.compile((x) => ({ y: x.add(x), same: x }));
    const x = t.tf.tensor1d([1, 2]);
    const before = t.tf.memory().numTensors;
    const { y, same } = await double.async(x);
    console.log(Array.from(await y.data()), same !== x, double.recordings);
    t.tf.dispose([y, same, Object.values(double(x))]);
    console.log(t.tf.memory().numTensors - before);
    t.compile((x) => x, { precision: 'bfloat16' });`;
  const { stdout, stderr, status } = run(code);
  expect(stdout).toBe('[ 2, 4 ] true 0\n0\n');
  expect([status, stderr]).toEqual([
    1,
    'error: precision = bfloat16 needs TensorFlow, and TSDIFFUSION_DEVICE is webgpu: use float32.\n',
  ]);
});

const folder = temporaryFolder();

test.each([
  ['train', ['--steps', '1', '--out', join(folder, 'never.safetensors')]],
  ['sample', ['--checkpoint', join(root, 'data', 'small.safetensors'), '--out', join(folder, 'never.png')]],
] as const)('npm run %s -- --precision bfloat16 is refused', (name, args) => {
  const options = { encoding: 'utf8', env: onWebgpu() } as const;
  const { status, stderr } = spawnSync(
    process.execPath,
    [program(name), ...args, '--precision', 'bfloat16'],
    options,
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: precision = bfloat16 needs TensorFlow, .*: use float32\.$/m);
});
