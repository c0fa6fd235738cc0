import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from '../conformance/bundle';

test.each([
  ['op by op', []],
  ['as one compiled function each', ['compiled']],
  ['as one compiled function that is made anew 120 times', ['recompiled']],
  ['as one compiled loop whose weights change 120 times', ['refrozen']],
])('5,000 steps, %s: no tensor more, less than 1 MB of memory per 1,000 steps', (_, mode) => {
  const program = bundle(join(__dirname, 'engine-leak-steps.ts'), 'engine-leak-steps.js');
  // A young generation of fixed size: V8 doubles it at some step, which looks like a leak of 10 MB.
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const env = { ...process.env, TSDIFFUSION_DEVICE: 'cpu', TSDIFFUSION_THREADS: '1' };
  const output = execFileSync(process.execPath, [...flags, program, ...mode], { encoding: 'utf8', env });
  const samples: { step: number; used: number; tensors: number }[] = JSON.parse(output);
  expect(samples.length).toBe(100);
  expect(new Set(samples.map(({ tensors }) => tensors)).size).toBe(1);

  // Least squares.
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ step }) => step)), mean(samples.map(({ used }) => used))];
  const covariance = mean(samples.map(({ step, used }) => (step - x) * (used - y)));
  const bytesPerStep = covariance / mean(samples.map(({ step }) => (step - x) ** 2));
  expect((bytesPerStep * 1000) / 2 ** 20).toBeLessThan(1);
});
