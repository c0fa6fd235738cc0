/** TF_DataType of the C API, as far as the engine knows how to store it. */
export const DataType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  float16: 19,
  resource: 20,
  uint32: 22,
  uint64: 23,
} as const;

const names = new Map<number, string>(Object.entries(DataType).map(([name, code]) => [code, name]));

/** Name of a data type: 1 is `float32`. */
export function dataTypeName(code: number): string {
  return names.get(code) ?? `dtype ${code}`;
}

type Element64 = BigInt64Array | BigUint64Array;
export type ElementArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Int16Array
  | Int8Array
  | Uint16Array
  | Uint32Array
  | Element64;

interface Storage {
  /** The typed array that holds the elements (16-bit floats as their bits). */
  array: { new (length: number): ElementArray; from(values: ArrayLike<unknown>): ElementArray; name: string };
  /** Array entries for each element of the tensor. */
  width: number;
}

const storage = (array: unknown, width = 1): Storage => ({ array: array as Storage['array'], width });

const storages = new Map<number, Storage>([
  [DataType.float32, storage(Float32Array)],
  [DataType.float64, storage(Float64Array)],
  [DataType.int32, storage(Int32Array)],
  [DataType.uint8, storage(Uint8Array)],
  [DataType.int16, storage(Int16Array)],
  [DataType.int8, storage(Int8Array)],
  [DataType.complex64, storage(Float32Array, 2)],
  [DataType.int64, storage(BigInt64Array)],
  [DataType.bool, storage(Uint8Array)],
  [DataType.bfloat16, storage(Uint16Array)],
  [DataType.uint16, storage(Uint16Array)],
  [DataType.float16, storage(Uint16Array)],
  [DataType.uint32, storage(Uint32Array)],
  [DataType.uint64, storage(BigUint64Array)],
]);

/** @throws when tensors of this type cannot cross to JavaScript. */
export function storageOf(code: number): Storage {
  const found = storages.get(code);
  if (!found) throw new Error(`Tensors of type ${dataTypeName(code)} cannot be exchanged with JavaScript.`);
  return found;
}
