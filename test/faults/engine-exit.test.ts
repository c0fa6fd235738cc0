// The engine in processes of its own: how they start, end and fail.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGenerator } from '../../lib/engine';
import { bundle, ROOT } from '../conformance/bundle';

const engine = bundle(join(ROOT, 'lib/engine/index.ts'), 'engine.js');

/** Runs a program in a fresh Node that has none of this process's settings for TensorFlow. */
function run(code: string, environment: NodeJS.ProcessEnv = {}, before = '') {
  const { TF_CPP_MIN_LOG_LEVEL: _, TSDIFFUSION_DEVICE: __, ...rest } = process.env;
  const program = `${before}; const { tf, device, createGenerator } = require(${JSON.stringify(engine)}); ${code}`;
  return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...rest, ...environment } });
}

const DRAW =
  'console.log(JSON.stringify(Array.from(createGenerator(0).fork("x", 1).normal([3, 5]).add(1).dataSync())))';

test('five processes end with code 0, an empty stderr and the numbers of this process', () => {
  const here = Array.from(createGenerator(0).fork('x', 1).normal([3, 5]).add(1).dataSync());
  for (let i = 0; i < 5; i++) {
    const { status, signal, stdout, stderr } = run(DRAW);
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(here);
  }
});

test.each(['process.exit(3)', 'process.exitCode = 3', 'process.on("exit", () => process.exit(3))'])(
  'with tensors alive, %s is the exit code',
  (code) => {
    const { status, stderr } = run(`globalThis.kept = tf.ones([10]).add(1); ${code}`);
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
  },
);

test('an uncaught error of TensorFlow is an ordinary JavaScript error', () => {
  const { status, stderr } = run('tf.gather(tf.ones([2]), tf.tensor1d([5], "int32"))');
  expect(status).toBe(1);
  expect(stderr).toMatch(/TensorFlowError: GatherV2: the index value 5 is not in \[0, 1\]/);
});

test('TSDIFFUSION_DEVICE=cpu and TSDIFFUSION_THREADS are heeded', () => {
  const { stdout } = run('console.log(JSON.stringify(device()))', {
    TSDIFFUSION_DEVICE: 'cpu',
    TSDIFFUSION_THREADS: '1',
  });
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'cpu', threads: 1 });
});

test('a wrong TSDIFFUSION_DEVICE stops the start', () => {
  const { status, stderr } = run('', { TSDIFFUSION_DEVICE: 'tpu' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/TSDIFFUSION_DEVICE is "tpu"/);
});

test('without a runtime the error says what to do', () => {
  const empty = mkdtempSync(join(tmpdir(), 'tsdiffusion-empty-'));
  const { status, stderr } = run('', { TSDIFFUSION_RUNTIME: empty });
  rmSync(empty, { recursive: true });
  expect(status).toBe(1);
  expect(stderr).toMatch(/There is no TensorFlow runtime in TSDIFFUSION_RUNTIME=.* Run `npm run setup`/);
});

test("the engine does without the helpers of Node's util that Node 23 has removed", () => {
  const remove = 'delete require("util").isNullOrUndefined; delete require("util").isArray';
  const { stdout, stderr } = run('tf.topk(tf.tensor1d([1, 5, 3]), 1).values.print()', {}, remove);
  expect({ stdout, stderr }).toEqual({ stdout: 'Tensor\n    [5]\n', stderr: '' });
});

test('the log can be turned on', () => {
  expect(run('', { TF_CPP_MIN_LOG_LEVEL: '0' }).stderr).not.toBe('');
});
