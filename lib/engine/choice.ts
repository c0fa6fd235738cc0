export type DeviceChoice = 'auto' | 'cpu' | 'gpu' | 'webgpu';

/** @throws when `TSDIFFUSION_DEVICE` is set to anything but auto, cpu, gpu or webgpu. */
export function chosenDevice(environment: NodeJS.ProcessEnv = process.env): DeviceChoice {
  const choice = environment.TSDIFFUSION_DEVICE || 'auto';
  if (choice === 'auto' || choice === 'cpu' || choice === 'gpu' || choice === 'webgpu') return choice;
  throw new Error(`TSDIFFUSION_DEVICE is "${choice}": set it to cpu, gpu, webgpu or auto, or unset it.`);
}

/** Whether this process computes through WebGPU, without TensorFlow's own library. */
export const onWebgpu: boolean = chosenDevice() === 'webgpu';
