import { DataType, dataTypeName, ElementArray, storageOf } from './dtypes';
import { memcpy } from './libc';
import { api, check, status } from './libtensorflow';
import { Pointer } from './signatures';
import { readStrings, stringBytes, writeStrings } from './strings';

/** Values as tfjs hands them over: a typed array, or one byte array for each string. */
export type Values = ArrayLike<number | bigint | boolean> | ArrayLike<Uint8Array>;

/** Number of elements. (A negative size would make TensorFlow end the process.) */
function sizeOf(shape: readonly number[]): number {
  let product = 1;
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0)
      throw new Error(`[${shape}] is no shape: ${size} is no whole number.`);
    product *= size;
  }
  return product;
}

/** A shape as the C API wants it: int64, and never a null pointer. */
export function dimensions(shape: readonly number[]): BigInt64Array {
  const result = new BigInt64Array(Math.max(1, shape.length));
  for (let i = 0; i < shape.length; i++) result[i] = BigInt(Math.trunc(shape[i]));
  return result;
}

/** Makes a tensor handle in host memory, of any type but string; the caller deletes it. */
export function createHandle(shape: readonly number[], dtype: number, values: Values): Pointer {
  const elements = toElements(shape, dtype, values);
  const tensor = api.TF_AllocateTensor(dtype, dimensions(shape), shape.length, elements.byteLength);
  if (elements.byteLength > 0) memcpy(api.TF_TensorData(tensor), elements, elements.byteLength);
  const handle = api.TFE_NewTensorHandle(tensor, status);
  // The handle shares the buffer and keeps it.
  api.TF_DeleteTensor(tensor);
  check('A new tensor');
  return handle;
}

/**
 * Makes a handle of strings. `copy` makes a handle that shares nothing with the one that it is given: strings made here
 * are freed only if their tensor outlives all its handles, those made by an op always.
 */
export function createStrings(
  shape: readonly number[],
  strings: ArrayLike<Uint8Array>,
  copy: (handle: Pointer) => Pointer,
): Pointer {
  const count = requireFit(shape, DataType.string, strings.length, sizeOf(shape));
  const tensor = api.TF_AllocateTensor(DataType.string, dimensions(shape), shape.length, stringBytes(count));
  writeStrings(api.TF_TensorData(tensor), strings);
  const handle = api.TFE_NewTensorHandle(tensor, status);
  try {
    check('A new tensor');
    return copy(handle);
  } finally {
    api.TFE_DeleteTensorHandle(handle);
    api.TF_DeleteTensor(tensor);
  }
}

/** Copies the values of a handle into JavaScript, from whatever device they are on. */
export function readHandle(handle: Pointer): ElementArray | Uint8Array[] {
  const dtype = api.TFE_TensorHandleDataType(handle);
  const storage = dtype === DataType.string ? undefined : storageOf(dtype);
  const tensor = api.TFE_TensorHandleResolve(handle, status);
  check('Reading a tensor', () => [describeHandle(handle)]);
  try {
    const bytes = Number(api.TF_TensorByteSize(tensor));
    const data = api.TF_TensorData(tensor);
    if (storage === undefined) return readStrings(data, bytes);
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

function toElements(shape: readonly number[], dtype: number, values: Values): ArrayBufferView {
  const { array, width } = storageOf(dtype);
  const size = sizeOf(shape) * width;
  // tfjs-node writes an int64 as two int32, low half first, which is already its layout in memory.
  const halves =
    dtype === DataType.int64 && kindOf(values) === 'Int32Array' && values.length === 2 * size && size > 0;
  if (!halves) requireFit(shape, dtype, values.length, size);
  if (halves || kindOf(values) === array.name) return values as unknown as ArrayBufferView;
  if (dtype === DataType.int64 || dtype === DataType.uint64) {
    return array.from(Array.from(values as ArrayLike<number>, (value) => BigInt(value)));
  }
  return array.from(values);
}

/** Returns the number of values that the shape holds, if as many are given. */
function requireFit(shape: readonly number[], dtype: number, given: number, size: number): number {
  if (given === size) return size;
  const wanted = `${dataTypeName(dtype)}[${shape}] holds ${size} values`;
  throw new Error(`The values do not fit the shape: ${wanted}, ${given} were given.`);
}

/** By its tag and not by `instanceof`, which fails on an array of another realm (a vm, jest). */
function kindOf(values: Values): string | undefined {
  return ArrayBuffer.isView(values) ? (values as unknown as Float32Array)[Symbol.toStringTag] : undefined;
}
