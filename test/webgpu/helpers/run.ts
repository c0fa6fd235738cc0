import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from '../../conformance/bundle';
import { vulkanEnvironment } from './vulkan';

/** The environment of a process on WebGPU: TensorFlow is nowhere, so that nothing can need it. */
export const onWebgpu = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ...vulkanEnvironment(),
  TSDIFFUSION_DEVICE: 'webgpu',
  TSDIFFUSION_RUNTIME: join(__dirname, 'no-such-folder'),
});

export const onCpu = (): NodeJS.ProcessEnv => ({ ...process.env, TSDIFFUSION_DEVICE: 'cpu' });

/** What `program.ts` prints on one of the two engines; one process has one. */
export function resultOf<R>(kind: 'cpu' | 'webgpu', ...args: string[]): R {
  const program = bundle(join(__dirname, 'program.ts'), 'webgpu-program.js');
  const env = kind === 'cpu' ? onCpu() : onWebgpu();
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${args[0]} on ${kind} failed:\n${stderr}`);
  const { device, result } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(device.kind).toBe(kind);
  return result;
}

/** The largest difference of two lists, as a share of the largest number in the first. */
export function difference(expected: number[], actual: number[]): number {
  if (expected.length !== actual.length) return Infinity;
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]) / scale), 0);
}
