/** TensorFlow.js on WebGPU, without TensorFlow: importing this file starts it, and `ready()` says when it runs. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../device';
import { drawRows, Kind, Rows } from '../streams';
// Before `navigator.gpu` exists: else the package would register a backend that opens the device in its own way, and
// asks for its features in a form that Dawn refuses.
import { Backend } from './backend';
import { loadDawn, openDevice } from './dawn';
import { kernels } from './kernels';

const NAME = 'webgpu';

let opened: Device | undefined;

async function open(): Promise<Backend> {
  const { device, info } = await openDevice(loadDawn());
  process.once('exit', () => device.destroy());
  const name = info.description || info.device || info.vendor;
  opened = { kind: 'webgpu', name, threads: 1, tensorflow: tf.version_core };
  return new Backend(device, info);
}

// Nothing may run on tfjs's own JavaScript by mistake.
tf.removeBackend('cpu');
for (const kernel of kernels) {
  if (tf.getKernel(kernel.kernelName, NAME)) tf.unregisterKernel(kernel.kernelName, NAME);
  tf.registerKernel(kernel);
}
const backend = open();
backend.catch(() => {}); // `ready` says it
tf.registerBackend(NAME, () => backend, 3);
// Not before the device is there: tfjs reports a failure as a mere warning.
const started = backend.then(() => tf.setBackend(NAME));
started.catch(() => {});

export async function ready(): Promise<void> {
  await started;
}

export function device(): Device {
  if (opened) return opened;
  throw new Error('The WebGPU device is not there yet: `await ready()` first.');
}

export function drawTensor(rows: Rows): tf.Tensor {
  return tf.tensor2d(drawRows(rows), [rows.count, rows.size], rows.kind === 'integers' ? 'int32' : 'float32');
}

/** Here from a seed that is still on the host. */
export function drawFrom(seed: tf.Tensor, what: Kind): tf.Tensor {
  const [key0, key1, low, high, domain] = Array.from(seed.dataSync(), (word) => word >>> 0);
  const first = (BigInt(high) << 32n) | BigInt(low);
  return drawTensor({ ...what, first, key: [key0, key1], domain });
}

export async function settled(): Promise<void> {
  await (await backend).settled();
}
