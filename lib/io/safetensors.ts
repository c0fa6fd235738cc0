import { writeFileAtomic } from './atomic';
import { fromFloat16, toFloat16 } from './float16';
import { bytesOf, copyBytes, readWhole, sizeOf } from './read';
import { parseHeader } from './safetensors-header';

// Format: https://huggingface.co/docs/safetensors (u64 length, JSON header, raw little-endian bytes).

export type StoredType = 'F64' | 'F32' | 'F16' | 'I64' | 'I32' | 'U8';

/** A named array of a safetensors file; F16 is float32 in memory and is rounded to half precision in the file. */
export type StoredTensor = { shape: number[] } & (
  | { dtype: 'F32' | 'F16'; data: Float32Array }
  | { dtype: 'F64'; data: Float64Array }
  | { dtype: 'I64'; data: BigInt64Array }
  | { dtype: 'I32'; data: Int32Array }
  | { dtype: 'U8'; data: Uint8Array }
);

export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  /** Free text by key, stored as `__metadata__`. */
  metadata: Record<string, string>;
}

interface TypeInfo {
  bytes: number;
  /** Name of the typed array in memory. */
  memory: string;
  /** Bytes of the file -> values, for a buffer of their own. */
  decode(buffer: ArrayBuffer): StoredTensor['data'];
}

/** Widest elements first, and of two as wide the order of the reference implementation: so each array is aligned. */
const types: Record<StoredType, TypeInfo> = {
  I64: { bytes: 8, memory: 'BigInt64Array', decode: (buffer) => new BigInt64Array(buffer) },
  F64: { bytes: 8, memory: 'Float64Array', decode: (buffer) => new Float64Array(buffer) },
  F32: { bytes: 4, memory: 'Float32Array', decode: (buffer) => new Float32Array(buffer) },
  I32: { bytes: 4, memory: 'Int32Array', decode: (buffer) => new Int32Array(buffer) },
  F16: { bytes: 2, memory: 'Float32Array', decode: (buffer) => fromFloat16(new Uint16Array(buffer)) },
  U8: { bytes: 1, memory: 'Uint8Array', decode: (buffer) => new Uint8Array(buffer) },
};
const order = Object.keys(types);

function checkTensor(name: string, { dtype, shape, data }: StoredTensor): void {
  const what = `Cannot store the tensor ${JSON.stringify(name)}`;
  if (name === '__metadata__' || name === '')
    throw new Error(`${what}: that name is reserved. Choose another.`);
  if (!(dtype in types)) throw new Error(`${what}: its type ${dtype} is not one of ${order.join(', ')}.`);
  if (data[Symbol.toStringTag] !== types[dtype].memory)
    throw new Error(
      `${what}: ${dtype} needs a ${types[dtype].memory}, not a ${data[Symbol.toStringTag] ?? typeof data}.`,
    );
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || sizeOf(shape) !== data.length)
    throw new Error(`${what}: its shape [${shape.join(', ')}] does not fit its ${data.length} values.`);
}

/**
 * The bytes of a safetensors file; equal content gives equal bytes, every array begins at a multiple of its element.
 * @throws Error naming the tensor when shape, type and data do not fit, or a metadata value is not text.
 */
export function encodeSafetensors(
  tensors: Iterable<[string, StoredTensor]>,
  metadata: Record<string, string> = {},
): Buffer {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== 'string')
      throw new Error(`Metadata must be text, but ${key} is a ${typeof value}. Use String or JSON.`);

  const sorted = [...tensors].sort(
    ([a, { dtype: left }], [b, { dtype: right }]) =>
      order.indexOf(left) - order.indexOf(right) || (a < b ? -1 : 1),
  );
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, tensor] of sorted) {
    checkTensor(name, tensor);
    if (header.some(([other]) => other === name))
      throw new Error(`There are two tensors named ${JSON.stringify(name)}.`);
    const part = bytesOf(tensor.dtype === 'F16' ? toFloat16(tensor.data) : tensor.data);
    header.push([
      name,
      { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [end, (end += part.length)] },
    ]);
    parts.push(part);
  }
  // Not JSON.stringify of an object: that would move names such as "0" to the front.
  const json = Buffer.from(
    `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
  );
  const padding = Buffer.alloc((8 - (json.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding.length));
  return Buffer.concat([length, json, padding, ...parts]);
}

/**
 * Reads a safetensors file; `name` is what errors call it. Every array is a copy of its own.
 * @throws Error when the file is damaged (any gap, overlap, duplicate or cut) or holds a type that is not supported.
 */
export function decodeSafetensors(bytes: Uint8Array, name = 'the safetensors data'): SafetensorsFile {
  const { metadata, entries, start } = parseHeader(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    name,
  );
  const tensors = new Map<string, StoredTensor>();
  for (const [key, { dtype, shape, begin, end }] of entries) {
    const type = types[dtype as StoredType] as TypeInfo | undefined;
    if (!type || !order.includes(dtype))
      throw new Error(
        `Cannot read ${name}: ${key} has type ${dtype}, not one of ${order.join(', ')}. Convert it first.`,
      );
    if (sizeOf(shape) * type.bytes !== end - begin)
      throw new Error(
        `Cannot read ${name}: ${key} of shape [${shape.join(', ')}] and type ${dtype} needs ${sizeOf(shape) * type.bytes} bytes, ` +
          `but has ${end - begin}. The file is damaged: make or copy it again.`,
      );
    const data = type.decode(copyBytes(bytes, start + begin, start + end));
    tensors.set(key, { dtype, shape, data } as StoredTensor);
  }
  return { tensors, metadata };
}

/** Writes a safetensors file atomically. @throws Error as `encodeSafetensors` and `writeFileAtomic` do. */
export function writeSafetensors(
  file: string,
  tensors: Iterable<[string, StoredTensor]>,
  metadata: Record<string, string> = {},
): void {
  writeFileAtomic(file, encodeSafetensors(tensors, metadata));
}

/** Reads a safetensors file. @throws Error as `decodeSafetensors` does, and when the file is missing. */
export function readSafetensors(file: string): SafetensorsFile {
  return decodeSafetensors(readWhole(file, 'the tensors'), file);
}
