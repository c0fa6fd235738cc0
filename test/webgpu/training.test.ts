import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../lib/io';
import { program, temporaryFolder } from '../helpers/tiny';
import { difference, onCpu, onWebgpu, resultOf } from './helpers/run';

interface Training {
  losses: number[];
  held: number;
  images: number[];
  pixels: number[];
  tensors: number[];
  left: number;
}

const folder = temporaryFolder();
const files = { cpu: join(folder, 'cpu.safetensors'), webgpu: join(folder, 'webgpu.safetensors') };

test('a U-Net learns, is saved and draws the same on WebGPU as on the CPU', () => {
  const cpu = resultOf<Training>('cpu', 'training', files.cpu);
  const webgpu = resultOf<Training>('webgpu', 'training', files.webgpu);

  expect(cpu.losses).toHaveLength(5);
  webgpu.losses.forEach((loss, i) => expect(difference([cpu.losses[i]], [loss])).toBeLessThan(1e-4));
  expect(difference([cpu.held], [webgpu.held])).toBeLessThan(1e-4);
  expect(difference(cpu.images, webgpu.images)).toBeLessThan(1e-3);
  const apart = cpu.pixels.map((pixel, i) => Math.abs(pixel - webgpu.pixels[i]));
  expect(Math.max(...apart)).toBeLessThanOrEqual(1);
  // As many tensors after each step, and none in the end.
  expect([webgpu.tensors.length, webgpu.left]).toEqual([1, 0]);

  // Not weight by weight: what a group norm takes out again has no gradient but rounding, which Adam makes steps of.
  const shapes = (file: string) =>
    [...readSafetensors(file).tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]);
  expect(shapes(files.webgpu)).toEqual(shapes(files.cpu));
});

test('npm run sample: the same pictures from the same checkpoint', () => {
  const pixels = { cpu: onCpu(), webgpu: onWebgpu() };
  const [cpu, webgpu] = Object.entries(pixels).map(([kind, env]) => {
    const out = join(folder, `${kind}.npy`);
    const args = [
      '--checkpoint',
      files.webgpu,
      '--out',
      out,
      '--count',
      '3',
      '--batch-size',
      '2',
      '--steps',
      '2',
    ];
    const { status, stderr } = spawnSync(process.execPath, [program('sample'), ...args], {
      encoding: 'utf8',
      env,
    });
    if (status !== 0) throw new Error(stderr);
    return readFileSync(out);
  });
  expect(cpu.length).toBeGreaterThan(3 * 28 * 28);
  expect(Math.max(...cpu.map((byte, i) => Math.abs(byte - webgpu[i])))).toBeLessThanOrEqual(1);
});
