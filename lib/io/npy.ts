import { openAtomic, writeFileAtomic } from './atomic';
import { bytesOf, copyBytes, readWhole, sizeOf } from './read';

// Format: numpy.lib.format, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

const types = {
  uint8: { descr: '|u1', bytes: 1, array: Uint8Array },
  int32: { descr: '<i4', bytes: 4, array: Int32Array },
  float32: { descr: '<f4', bytes: 4, array: Float32Array },
  float64: { descr: '<f8', bytes: 8, array: Float64Array },
} as const;

export type NpyType = keyof typeof types;

/** An array as NumPy stores it: C order (the last axis runs fastest). */
export interface NpyArray {
  dtype: NpyType;
  shape: number[];
  data: Uint8Array | Int32Array | Float32Array | Float64Array;
}

/** Writes the rows (first axis) of one `.npy` file batch by batch. */
export interface NpyWriter {
  /** Appends whole rows. @throws Error when the values are not whole rows or are more than announced. */
  write(rows: NpyArray['data']): void;
  /** Completes the file. @throws Error when rows are missing; then no file is left. */
  close(): void;
  /** Throws away what was written; does nothing after `close`. */
  abort(): void;
}

const MAGIC = '\x93NUMPY';
/** NumPy leaves room for this many digits of the first axis, so that appending need not move the data. */
const GROWTH_DIGITS = 21;

function encodeHeader(dtype: NpyType, shape: readonly number[]): Buffer {
  if (!(dtype in types))
    throw new Error(`A .npy file of type ${dtype} is not supported; use ${Object.keys(types).join(', ')}.`);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new Error(`The shape of an array must be whole numbers >= 0, not [${shape.join(', ')}].`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  let text = `{'descr': '${types[dtype].descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  if (shape.length > 0) text += ' '.repeat(GROWTH_DIGITS - String(shape[0]).length);
  const before = MAGIC.length + 4; // the version and the length of the header
  const end = (Math.floor((before + text.length + 1) / 64) + 1) * 64; // data begin at a multiple of 64
  text = text.padEnd(end - before - 1) + '\n';
  const prefix = Buffer.from(`${MAGIC}\x01\x00\0\0`, 'latin1');
  prefix.writeUInt16LE(text.length, MAGIC.length + 2);
  return Buffer.concat([prefix, Buffer.from(text, 'latin1')]);
}

/** The kind of a typed array by its tag: `instanceof` fails for arrays made in another realm (jest, vm). */
function checkData(dtype: NpyType, data: NpyArray['data']): void {
  const wanted = types[dtype].array.name;
  if (data[Symbol.toStringTag] !== wanted)
    throw new Error(
      `Data of type ${dtype} must be a ${wanted}, not a ${data[Symbol.toStringTag] ?? typeof data}.`,
    );
}

/**
 * The bytes of a `.npy` file (version 1.0, little-endian, C order), equal to what `numpy.save` writes.
 * @throws Error when `data` does not fit `shape` or `dtype`.
 */
export function encodeNpy({ dtype, shape, data }: NpyArray): Buffer {
  const header = encodeHeader(dtype, shape);
  checkData(dtype, data);
  if (data.length !== sizeOf(shape))
    throw new Error(
      `An array of shape [${shape.join(', ')}] needs ${sizeOf(shape)} values, but there are ${data.length}.`,
    );
  return Buffer.concat([header, bytesOf(data)]);
}

/** Splits a file into the text of its header and the offset of its data, or says what is wrong. */
function splitHeader(bytes: Buffer): { text: string; start: number } | { problem: string } {
  if (bytes.length < 10 || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    return { problem: 'it does not begin with the mark of a .npy file' };
  const version = bytes[MAGIC.length]!;
  if (version < 1 || version > 3)
    return { problem: `its format version is ${version}, and only 1 to 3 are known` };
  const lengthBytes = version === 1 ? 2 : 4;
  const begin = MAGIC.length + 2 + lengthBytes;
  if (bytes.length < begin) return { problem: 'its header is cut off' };
  const start = begin + bytes.readUIntLE(MAGIC.length + 2, lengthBytes);
  if (bytes.length < start) return { problem: 'its header is cut off' };
  return { text: bytes.toString('utf8', begin, start), start };
}

/**
 * Reads a `.npy` file; `name` is what errors call it.
 * @throws Error when it is damaged, or holds a type, byte order or axis order that is not supported.
 */
export function decodeNpy(bytes: Uint8Array, name = 'the .npy data'): NpyArray {
  const fail = (
    problem: string,
    remedy = 'The file is damaged or not an array file: make or copy it again.',
  ): never => {
    throw new Error(`Cannot read ${name}: ${problem}. ${remedy}`);
  };
  const split = splitHeader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if ('problem' in split) return fail(split.problem);
  const { text, start } = split;
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const tuple = /'shape':\s*\(((?:\s*\d+\s*,?)*)\)/.exec(text)?.[1];
  if (fortran === undefined || tuple === undefined) return fail('its header is unreadable');

  const resave = (what: string) => `Save it anew in Python: numpy.save(file, ${what}).`;
  const dtype = (Object.keys(types) as NpyType[]).find((key) => types[key].descr === descr);
  if (!dtype)
    return fail(
      `its type is ${descr ?? 'a record'}, not ${Object.keys(types).join(', ')}`,
      resave('a.astype("<f4")'),
    );
  if (fortran === 'True') return fail('it is in Fortran order', resave('numpy.ascontiguousarray(a)'));

  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const { bytes: width, array } = types[dtype];
  const wanted = sizeOf(shape) * width;
  const found = bytes.length - start;
  if (wanted !== found)
    return fail(
      `an array of shape [${shape.join(', ')}] and type ${dtype} needs ${wanted} bytes of data, but has ${found}`,
    );
  return { dtype, shape, data: new array(copyBytes(bytes, start, start + wanted)) };
}

/** Writes a `.npy` file atomically. @throws Error as `encodeNpy` and `writeFileAtomic` do. */
export function writeNpy(file: string, array: NpyArray): void {
  writeFileAtomic(file, encodeNpy(array));
}

/** Reads a `.npy` file. @throws Error as `decodeNpy` does, and when the file is missing. */
export function readNpy(file: string): NpyArray {
  return decodeNpy(readWhole(file, 'the array'), file);
}

/**
 * Begins a `.npy` file whose rows come in batches, as for `[count, 28, 28]` samples; it appears when `close` is called.
 * The caller calls `abort` when something else fails meanwhile.
 * @throws Error when the folder of the file does not exist.
 */
export function openNpy(file: string, { dtype, shape }: { dtype: NpyType; shape: number[] }): NpyWriter {
  const header = encodeHeader(dtype, shape);
  if (shape.length === 0)
    throw new Error(`Cannot write ${file} in batches: a scalar has no rows. Use writeNpy.`);
  const total = sizeOf(shape);
  const row = sizeOf(shape.slice(1));
  const output = openAtomic(file);
  let written = 0;
  output.write(header);
  return {
    write(rows) {
      checkData(dtype, rows);
      if (row > 0 && rows.length % row !== 0)
        throw new Error(
          `Rows of ${file} have ${row} values, but the batch has ${rows.length}, which is not a multiple.`,
        );
      if (written + rows.length > total)
        throw new Error(`${file} was announced with ${shape[0]} rows, but this batch goes beyond them.`);
      output.write(bytesOf(rows));
      written += rows.length;
    },
    close() {
      if (written !== total) {
        output.abort();
        throw new Error(
          `${file} was announced with ${shape[0]} rows, but only ${written / row} came; nothing was written.`,
        );
      }
      output.commit();
    },
    abort: output.abort,
  };
}
