/** tfjs's WebGPU backend with values that can be read where they are on the host. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { engine, type backend_util, type DataId, type TensorInfo } from '@tensorflow/tfjs';

/** What lies behind a tensor: numbers on the host, a buffer of the device, or both. */
interface Stored {
  values: backend_util.BackendValues | null;
  resource: object | null;
}

export class Backend extends WebGPUBackend {
  /** Keeps what came from the host there as well: steps, tables and random numbers can be read again without a wait. */
  override uploadToGPU(id: DataId): void {
    const stored = this.stored(id);
    const { values } = stored;
    super.uploadToGPU(id);
    stored.values = values;
  }

  /** A program that changes a tensor in place (`tf.tensorScatterUpdate`) makes what the host has of it stale. */
  override runWebGPUProgram(...args: Parameters<WebGPUBackend['runWebGPUProgram']>): TensorInfo {
    const result = super.runWebGPUProgram(...args);
    const stored = this.stored(result.dataId);
    if (stored.resource) stored.values = null;
    return result;
  }

  /** A tensor may be disposed of while its values are on their way. */
  override async read(id: object): Promise<backend_util.BackendValues> {
    this.incRef(id as DataId);
    try {
      return await super.read(id);
    } finally {
      if (this.disposeData(id as DataId)) engine().removeDataId(id as DataId, this);
    }
  }

  /** @throws where the values are on the device alone: WebGPU hands them over asynchronously only. */
  override readSync(id: object): backend_util.BackendValues {
    const { values } = this.stored(id as DataId);
    if (values) return values;
    throw new Error(
      'dataSync and arraySync cannot read from the device through WebGPU: use `await x.data()` or `await x.array()`; ' +
        'after that dataSync works too.',
    );
  }

  /** Waits until everything that was asked for so far is done. */
  async settled(): Promise<void> {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    this.submitQueue();
    await this.queue.onSubmittedWorkDone();
  }

  private stored(id: DataId): Stored {
    return (this as unknown as { tensorMap: { get(id: DataId): Stored } }).tensorMap.get(id);
  }
}
