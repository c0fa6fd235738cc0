import { Attribute, setAttribute } from './attributes';
import { api, check, cString, executeAsync, status } from './libtensorflow';
import { Pointer } from './signatures';
import { describeHandle } from './tensors';

export interface ContextOptions {
  /** Threads that one op may use. */
  threads: number;
  /** Whether TensorFlow may look for GPUs. */
  gpu: boolean;
}

/** A device as TensorFlow lists it: `{ type: 'CPU', name: '/job:localhost/replica:0/task:0/device:CPU:0' }`. */
export interface ListedDevice {
  type: string;
  name: string;
}

/** TensorFlow's eager context: runs one op at a time on native tensor handles. */
export class EagerContext {
  readonly devices: readonly ListedDevice[];
  private readonly context: Pointer;
  private readonly outputCount = new Int32Array(1);
  private outputs = new BigUint64Array(64);

  constructor(options: ContextOptions) {
    this.context = createContext(encodeConfig(options));
    this.devices = listDevices(this.context);
  }

  /** Runs an op; the handles that it returns belong to the caller. `outputs` is the most it may have. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Pointer[],
    outputs: number,
  ): Pointer[] {
    if (outputs > this.outputs.length) this.outputs = new BigUint64Array(outputs);
    const op = api.TFE_NewOp(this.context, cString(name), status);
    check(name);
    try {
      for (let i = 0; i < inputs.length; i++) api.TFE_OpAddInput(op, inputs[i], status);
      for (let i = 0; i < attributes.length; i++) setAttribute(op, attributes[i]);
      this.outputCount[0] = outputs;
      api.TFE_Execute(op, this.outputs, this.outputCount, status);
      check(name, () => inputs.map(describeHandle));
    } finally {
      api.TFE_DeleteOp(op);
    }
    return Array.from(this.outputs.subarray(0, this.outputCount[0]));
  }

  /**
   * The same on a thread of its own, while JavaScript goes on; worth it for an op that is a whole compiled function.
   * The handles must stay alive until it ends.
   */
  async executeAsync(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Pointer[],
    outputs: number,
  ): Promise<Pointer[]> {
    const handles = new BigUint64Array(Math.max(1, outputs));
    const count = Int32Array.of(outputs);
    // Other calls may report to the common status meanwhile.
    const own = api.TF_NewStatus();
    const op = api.TFE_NewOp(this.context, cString(name), own);
    try {
      check(name, undefined, own);
      for (let i = 0; i < inputs.length; i++) api.TFE_OpAddInput(op, inputs[i], own);
      for (let i = 0; i < attributes.length; i++) setAttribute(op, attributes[i]);
      await executeAsync(op, handles, count, own);
      check(name, undefined, own);
    } finally {
      api.TFE_DeleteOp(op);
      api.TF_DeleteStatus(own);
    }
    return Array.from(handles.subarray(0, count[0]));
  }

  /** Makes a function (`TF_Function`) an op of this context, under its name. */
  addFunction(definition: Pointer): void {
    api.TFE_ContextAddFunction(this.context, definition, status);
    check('A new function');
  }

  removeFunction(name: string): void {
    api.TFE_ContextRemoveFunction(this.context, name, status);
    check(`Removal of ${name}`);
  }

  /** Copies a tensor into the memory of a device; the caller deletes both handles. */
  copy(handle: Pointer, device: string): Pointer {
    const copy = api.TFE_TensorHandleCopyToDevice(handle, this.context, cString(device), status);
    check(`Copy to ${device}`, () => [describeHandle(handle)]);
    return copy;
  }

  /** Only for a context that has no handles left. */
  dispose(): void {
    api.TFE_DeleteContext(this.context);
  }
}

/** Name of the device whose memory holds a tensor. */
export function deviceOf(handle: Pointer): string {
  const name = api.TFE_TensorHandleBackingDeviceName(handle, status);
  check('Device of a tensor');
  return name;
}

/**
 * The bytes of TensorFlow's message ConfigProto: `intra_op_parallelism_threads` (field 2), `gpu_options.allow_growth`
 * (6.4), or `device_count { "GPU": 0 }` (field 1) to hide the GPUs.
 */
export function encodeConfig({ threads, gpu }: ContextOptions): Uint8Array {
  const hideGpus = [0x0a, 0x07, 0x0a, 0x03, 0x47, 0x50, 0x55, 0x10, 0x00];
  const allowGrowth = [0x32, 0x02, 0x20, 0x01];
  return Uint8Array.from([0x10, ...varint(threads), ...(gpu ? allowGrowth : hideGpus)]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function createContext(config: Uint8Array): Pointer {
  const options = api.TFE_NewContextOptions();
  try {
    api.TFE_ContextOptionsSetConfig(options, config, config.length, status);
    check('Configuration of TensorFlow');
    const context = api.TFE_NewContext(options, status);
    check('Start of TensorFlow');
    return context;
  } finally {
    api.TFE_DeleteContextOptions(options);
  }
}

function listDevices(context: Pointer): ListedDevice[] {
  const list = api.TFE_ContextListDevices(context, status);
  check('List of devices');
  try {
    return Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
      type: api.TF_DeviceListType(list, i, status),
      name: api.TF_DeviceListName(list, i, status),
    }));
  } finally {
    api.TF_DeleteDeviceList(list);
  }
}
