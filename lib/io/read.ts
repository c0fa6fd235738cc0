import * as fs from 'fs';

/**
 * Reads a whole file; `what` says in an error what it was wanted for.
 * @throws Error naming the file and the remedy when it is missing or unreadable.
 */
export function readWhole(file: string, what: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file. Check the path.'
        : code === 'EISDIR'
          ? 'that is a folder.'
          : `${message}.`;
    throw new Error(`Cannot read ${what} ${file}: ${reason}`, { cause: error });
  }
}

/** A copy of `bytes[start, end)` in memory of its own, so that any typed array can be laid over it (alignment). */
export function copyBytes(bytes: Uint8Array, start: number, end: number): ArrayBuffer {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy.buffer;
}

/** The bytes under a typed array, without a copy. Every supported machine is little-endian, as are the formats. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
