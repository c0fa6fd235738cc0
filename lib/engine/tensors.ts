import { DataType, dataTypeName, ElementArray, storageOf } from './dtypes';
import { memcpy } from './libc';
import { api, check, status } from './libtensorflow';
import { Pointer } from './signatures';

/** sizeof(TF_TString). */
const STRING_BYTES = 24;

/** Values as tfjs hands them over: a typed array, or one byte array for each string. */
export type Values = ArrayLike<number | bigint | boolean> | ArrayLike<Uint8Array>;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A shape as the C API wants it: int64, and never a null pointer. */
export function dimensions(shape: readonly number[]): BigInt64Array {
  const result = new BigInt64Array(Math.max(1, shape.length));
  for (let i = 0; i < shape.length; i++) result[i] = BigInt(Math.trunc(shape[i]));
  return result;
}

/** Makes a tensor handle in host memory; the caller deletes it. */
export function createHandle(shape: readonly number[], dtype: number, values: Values): Pointer {
  const tensor = dtype === DataType.string ? allocateStrings(shape, values) : allocate(shape, dtype, values);
  const handle = api.TFE_NewTensorHandle(tensor, status);
  // The handle shares the buffer; for strings too.
  api.TF_DeleteTensor(tensor);
  check('TFE_NewTensorHandle');
  return handle;
}

/** Copies the values of a handle into JavaScript, from whatever device they are on. */
export function readHandle(handle: Pointer): ElementArray | Uint8Array[] {
  const dtype = api.TFE_TensorHandleDataType(handle);
  const storage = dtype === DataType.string ? null : storageOf(dtype);
  const tensor = api.TFE_TensorHandleResolve(handle, status);
  check('Reading a tensor', () => [describeHandle(handle)]);
  try {
    const bytes = Number(api.TF_TensorByteSize(tensor));
    const data = api.TF_TensorData(tensor);
    if (storage === null) return readStrings(data, bytes / STRING_BYTES);
    const result = new storage.array(bytes / new storage.array(0).BYTES_PER_ELEMENT);
    if (bytes > 0) memcpy(result, data, bytes);
    return result;
  } finally {
    api.TF_DeleteTensor(tensor);
  }
}

export function shapeOf(handle: Pointer): number[] {
  const rank = api.TFE_TensorHandleNumDims(handle, status);
  const shape = new Array<number>(Math.max(0, rank));
  for (let i = 0; i < rank; i++) shape[i] = Number(api.TFE_TensorHandleDim(handle, i, status));
  check('Reading a shape');
  return shape;
}

/** For messages: `float32[2,3]`. */
export function describeHandle(handle: Pointer): string {
  return `${dataTypeName(api.TFE_TensorHandleDataType(handle))}[${shapeOf(handle)}]`;
}

function allocate(shape: readonly number[], dtype: number, values: Values): Pointer {
  const elements = toElements(shape, dtype, values);
  const tensor = api.TF_AllocateTensor(dtype, dimensions(shape), shape.length, elements.byteLength);
  if (elements.byteLength > 0) memcpy(api.TF_TensorData(tensor), elements, elements.byteLength);
  return tensor;
}

function toElements(shape: readonly number[], dtype: number, values: Values): ArrayBufferView {
  const { array, width } = storageOf(dtype);
  const size = sizeOf(shape) * width;
  // tfjs-node writes an int64 as two int32, low half first, which is already its layout in memory.
  const halves =
    dtype === DataType.int64 && kindOf(values) === 'Int32Array' && values.length === 2 * size && size > 0;
  if (!halves && values.length !== size) {
    const wanted = `${dataTypeName(dtype)}[${shape}] holds ${size} values`;
    throw new Error(`The values do not fit the shape: ${wanted}, ${values.length} were given.`);
  }
  if (halves || kindOf(values) === array.name) return values as unknown as ArrayBufferView;
  if (dtype === DataType.int64 || dtype === DataType.uint64) {
    return array.from(Array.from(values as ArrayLike<number>, (value) => BigInt(value)));
  }
  return array.from(values);
}

/** By its tag and not by `instanceof`, which fails on an array of another realm (a vm, jest). */
function kindOf(values: Values): string | undefined {
  return ArrayBuffer.isView(values) ? (values as unknown as Float32Array)[Symbol.toStringTag] : undefined;
}

function allocateStrings(shape: readonly number[], values: Values): Pointer {
  const count = sizeOf(shape);
  if (values.length !== count) {
    throw new Error(
      `The values do not fit the shape: string[${shape}] holds ${count}, ${values.length} were given.`,
    );
  }
  const tensor = api.TF_AllocateTensor(
    DataType.string,
    dimensions(shape),
    shape.length,
    STRING_BYTES * count,
  );
  let place = api.TF_TensorData(tensor);
  for (let i = 0; i < count; i++, place += BigInt(STRING_BYTES)) {
    const bytes = values[i] as unknown as Uint8Array;
    api.TF_StringInit(place);
    api.TF_StringCopy(place, bytes.length > 0 ? bytes : Buffer.alloc(1), bytes.length);
  }
  return tensor;
}

function readStrings(data: Pointer, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const place = data + BigInt(STRING_BYTES * i);
    const bytes = new Uint8Array(Number(api.TF_StringGetSize(place)));
    if (bytes.length > 0) memcpy(bytes, api.TF_StringGetDataPointer(place), bytes.length);
    return bytes;
  });
}
