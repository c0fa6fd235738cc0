import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { AttributeType } from './attributes';
import { EagerBinding } from './binding';
import { chosenDevice, DeviceChoice } from './choice';
import { deviceOf, EagerContext } from './context';
import { DataType } from './dtypes';
import { api } from './libtensorflow';
import { threadCount } from './limits';
import { findRuntime } from './locate';
import { Pointer } from './signatures';
import { createHandle, readHandle } from './tensors';

/** Where the ops run, as found out by running one. */
export interface Device {
  kind: 'cpu' | 'gpu' | 'webgpu';
  /** Name of the chip. */
  name: string;
  /** CPU threads that one op may use. */
  threads: number;
  /** Version of TensorFlow; on WebGPU, which does without, of TensorFlow.js. */
  tensorflow: string;
  /** Why a GPU that is present is not used. */
  warning?: string;
}

/**
 * Starts TensorFlow on the GPU if an op really runs there, else on the CPU. A GPU that is present but not usable is a
 * warning on stderr; with `TSDIFFUSION_DEVICE=gpu` it is an error.
 */
export function openDevice(): { device: Device; binding: EagerBinding } {
  const choice = chosenDevice();
  const threads = threadCount();
  const common = { threads, tensorflow: api.TF_Version() };
  const context = new EagerContext({ threads, gpu: choice !== 'cpu' });
  const gpu = choice === 'cpu' ? undefined : context.devices.find(({ type }) => type === 'GPU')?.name;
  const problem = gpu ? whyUnusable(context, gpu) : whyUnlisted({ choice, ...surroundings() });

  if (gpu !== undefined && problem === undefined) {
    return {
      device: { kind: 'gpu', name: gpuName() ?? gpu, ...common },
      binding: new EagerBinding(context, gpu),
    };
  }
  if (choice === 'gpu') throw new Error(`TSDIFFUSION_DEVICE=gpu, but no GPU can be used: ${problem}`);
  const warning =
    problem && `A GPU is present but not used: ${problem} Everything runs on the CPU, much more slowly.`;
  if (warning) console.warn(`\nWARNING: ${warning}\n`);
  const device: Device = {
    kind: 'cpu',
    name: cpus()[0]?.model ?? process.arch,
    ...common,
    ...(warning && { warning }),
  };
  if (gpu === undefined) return { device, binding: new EagerBinding(context) };
  // TensorFlow would go on placing ops on the GPU that just failed.
  context.dispose();
  return { device, binding: new EagerBinding(new EagerContext({ threads, gpu: false })) };
}

/** Multiplies two matrices on a device and looks where the product is; undefined if all is well. */
export function whyUnusable(context: EagerContext, device: string): string | undefined {
  const handles: Pointer[] = [];
  try {
    handles.push(createHandle([2, 2], DataType.float32, Float32Array.of(1, 2, 3, 4)));
    handles.push(context.copy(handles[0], device));
    const T = { name: 'T', type: AttributeType.type, value: DataType.float32 };
    handles.push(...context.execute('MatMul', [T], [handles[1], handles[1]], 1));
    const place = deviceOf(handles[2]);
    if (place !== device) return `a matrix product was placed on ${place}, not on ${device}.`;
    const product = Array.from(readHandle(handles[2]) as Float32Array);
    return String(product) === '7,10,15,22'
      ? undefined
      : `${device} computes a wrong matrix product (${product}).`;
  } catch (error) {
    return `${(error as Error).message}.`;
  } finally {
    handles.forEach((handle) => api.TFE_DeleteTensorHandle(handle));
  }
}

/** What is known of a machine on which TensorFlow lists no GPU. */
interface Surroundings {
  choice: DeviceChoice;
  /** Whether a driver for NVIDIA GPUs is there. */
  present: boolean;
  /** Which TensorFlow is installed. */
  variant: 'cpu' | 'cuda';
  /** What TensorFlow's log says on GPUs; asked for only if nothing else explains it. */
  log: () => string;
}

/** Why TensorFlow lists no GPU; undefined if that is as it should be. */
export function whyUnlisted({ choice, present, variant, log }: Surroundings): string | undefined {
  if (choice === 'cpu') return undefined;
  if (!present) return choice === 'gpu' ? 'this machine has no NVIDIA driver.' : undefined;
  if (variant === 'cpu') {
    return 'the installed TensorFlow is the one for the CPU. Run `npm run setup` to install the CUDA one.';
  }
  const said = log();
  return `TensorFlow found no usable GPU${said ? ` and says: ${said}` : '.'}`;
}

function surroundings(): Omit<Surroundings, 'choice'> {
  return { present: isGpuPresent(), variant: findRuntime().variant, log: () => gpuLines(startupLog()) };
}

/** Linux: the driver's device file. WSL2: the driver's tools, put there by Windows. */
function isGpuPresent(): boolean {
  return existsSync('/dev/nvidiactl') || existsSync('/usr/lib/wsl/lib/nvidia-smi');
}

function gpuName(): string | undefined {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      encoding: 'utf8',
    });
    return names.split('\n')[0].trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The whole log of TensorFlow's start, made by starting it once more in a process of its own. */
function startupLog(): string {
  const module = join(__dirname, 'context.js');
  if (!existsSync(module)) return '';
  const code = `new (require(${JSON.stringify(module)}).EagerContext)({ threads: 1, gpu: true })`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '0' };
  return spawnSync(process.execPath, ['-e', code], { env, encoding: 'utf8', timeout: 60_000 }).stderr ?? '';
}

/** The warnings and errors on GPUs in a TensorFlow log, without time and place. */
export function gpuLines(log: string): string {
  const about = /cuda|gpu|cudnn|nvidia|driver/i;
  const lines = log.split('\n').filter((line) => /^[WE]\d{4} |: [WE] /.test(line) && about.test(line));
  return lines.map((line) => line.replace(/^.*?\.(cc|h):\d+\]\s*/, '').trim()).join(' ');
}
