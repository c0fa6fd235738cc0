import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { Attribute, AttributeType } from './attributes';
import { EagerContext } from './context';
import { DataType } from './dtypes';
import { api } from './libtensorflow';
import { Pointer } from './signatures';
import { createHandle, createStrings, readHandle, shapeOf, Values } from './tensors';

export interface ShapeAndType {
  shape: number[];
  /** A `DataType`. */
  dtype: number;
}

/** What tfjs knows of a tensor of ours: a number, never an address. */
export interface TensorMetadata extends ShapeAndType {
  id: number;
}

/**
 * The part of tfjs-node's addon that its kernels call. What stands in its place (a recorder that turns a step into one
 * TensorFlow function, say) implements these five and inherits the constants from `BindingConstants`.
 */
export interface Executor {
  createTensor(shape: number[], dtype: number, values: Values): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ReturnType<TFJSBinding['tensorDataSync']>;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): TensorMetadata[];
  getNumOfTensors(): number;
}

/** The addon's enumerations, and the parts of it (saved models) that this engine leaves out. */
export abstract class BindingConstants {
  readonly TF_FLOAT = DataType.float32;
  readonly TF_INT32 = DataType.int32;
  readonly TF_INT64 = DataType.int64;
  readonly TF_BOOL = DataType.bool;
  readonly TF_COMPLEX64 = DataType.complex64;
  readonly TF_STRING = DataType.string;
  readonly TF_RESOURCE = DataType.resource;
  readonly TF_UINT8 = DataType.uint8;
  readonly TF_ATTR_STRING = AttributeType.string;
  readonly TF_ATTR_INT = AttributeType.int;
  readonly TF_ATTR_FLOAT = AttributeType.float;
  readonly TF_ATTR_BOOL = AttributeType.bool;
  readonly TF_ATTR_TYPE = AttributeType.type;
  readonly TF_ATTR_SHAPE = AttributeType.shape;
  /** The C API has no such attribute; no kernel sets one. */
  readonly TF_ATTR_RESOURCE = -1;
  readonly TF_Version: string = api.TF_Version();
  readonly TensorMetadata = class {
    id = 0;
    shape: number[] = [];
    dtype = 0;
  };
  readonly TFEOpAttr = class {
    name = '';
    type = 0;
    value: Attribute['value'] = 0;
  };

  getNumOfSavedModels(): number {
    return 0;
  }

  loadSavedModel(): never {
    return withoutSavedModels();
  }

  deleteSavedModel(): never {
    return withoutSavedModels();
  }

  runSavedModel(): never {
    return withoutSavedModels();
  }
}

/** Runs tfjs-node's kernels op by op on the C API; tensors are numbered, so a stale one is an error and no crash. */
export class EagerBinding extends BindingConstants implements Executor, TFJSBinding {
  private readonly handles = new Map<number, Pointer>();
  private nextId = 0;

  /** `device`: where new tensors go; undefined leaves them in host memory. */
  constructor(
    readonly context: EagerContext,
    private readonly device?: string,
  ) {
    super();
  }

  createTensor(shape: number[], dtype: number, values: Values): number {
    if (dtype === DataType.string)
      return this.register(this.createStrings(shape, values as ArrayLike<Uint8Array>));
    const handle = createHandle(shape, dtype, values);
    // TensorFlow keeps int32 (sizes, axes) in host memory on every device.
    if (this.device === undefined || dtype === DataType.int32) return this.register(handle);
    try {
      return this.register(this.context.copy(handle, this.device));
    } finally {
      api.TFE_DeleteTensorHandle(handle);
    }
  }

  deleteTensor(id: number): void {
    api.TFE_DeleteTensorHandle(this.handle(id));
    this.handles.delete(id);
  }

  tensorDataSync(id: number): ReturnType<TFJSBinding['tensorDataSync']> {
    return readHandle(this.handle(id)) as ReturnType<TFJSBinding['tensorDataSync']>;
  }

  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): TensorMetadata[] {
    const handles = new Array<Pointer>(inputs.length);
    for (let i = 0; i < inputs.length; i++) handles[i] = this.handle(inputs[i]);
    return this.adopt(this.context.execute(name, attributes, handles, outputs));
  }

  /** Runs a compiled function whose outputs are known: nothing has to be asked afterwards. */
  call(name: string, attributes: Attribute[], inputs: number[], outputs: ShapeAndType[]): TensorMetadata[] {
    const handles = inputs.map((id) => this.handle(id));
    return this.adoptAs(this.context.execute(name, attributes, handles, outputs.length), outputs);
  }

  /** The same while JavaScript goes on. */
  async callAsync(
    name: string,
    attributes: Attribute[],
    inputs: number[],
    outputs: ShapeAndType[],
  ): Promise<TensorMetadata[]> {
    const handles = inputs.map((id) => this.handle(id));
    return this.adoptAs(await this.context.executeAsync(name, attributes, handles, outputs.length), outputs);
  }

  /** The native handle of a tensor; it stays this binding's. */
  handle(id: number): Pointer {
    const handle = this.handles.get(id);
    if (handle === undefined) throw new Error(`There is no tensor ${id}: it was disposed of, or never made.`);
    return handle;
  }

  describe(id: number): ShapeAndType {
    const handle = this.handle(id);
    return { shape: shapeOf(handle), dtype: api.TFE_TensorHandleDataType(handle) };
  }

  has(id: number): boolean {
    return this.handles.has(id);
  }

  getNumOfTensors(): number {
    return this.handles.size;
  }

  isUsingGpuDevice(): boolean {
    return this.device !== undefined;
  }

  private createStrings(shape: number[], strings: ArrayLike<Uint8Array>): Pointer {
    const T = { name: 'T', type: this.TF_ATTR_TYPE, value: DataType.string };
    return createStrings(shape, strings, (handle) => this.context.execute('DeepCopy', [T], [handle], 1)[0]);
  }

  private adopt(handles: Pointer[]): TensorMetadata[] {
    try {
      const shapes = handles.map(shapeOf);
      return handles.map((handle, i) => ({
        id: this.register(handle),
        shape: shapes[i],
        dtype: api.TFE_TensorHandleDataType(handle),
      }));
    } catch (error) {
      handles.forEach((handle) => api.TFE_DeleteTensorHandle(handle));
      throw error;
    }
  }

  private adoptAs(handles: Pointer[], outputs: ShapeAndType[]): TensorMetadata[] {
    return handles.map((handle, i) => ({ id: this.register(handle), ...outputs[i] }));
  }

  private register(handle: Pointer): number {
    this.handles.set(this.nextId, handle);
    return this.nextId++;
  }
}

function withoutSavedModels(): never {
  throw new Error('SavedModels are not supported here: this engine runs TensorFlow ops, not stored graphs.');
}
