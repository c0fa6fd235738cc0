import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import koffi from 'koffi';
import { Pointer } from './signatures';

// Everything that Node itself is linked with: the C library under whatever name the system gives it.
const library = koffi.load(null);

/** Copies bytes between native memory and a typed array, either way. */
export const memcpy: (
  to: Pointer | ArrayBufferView,
  from: Pointer | ArrayBufferView,
  bytes: number,
) => unknown = library.func('memcpy', 'void*', ['void*', 'void*', 'size_t']);

const setenv: (name: string, value: string, overwrite: number) => number = library.func('setenv', 'int', [
  'str',
  'str',
  'int',
]);
const dlopen: (file: string, flags: number) => Pointer | null = library.func('dlopen', 'void*', [
  'str',
  'int',
]);
const dup: (descriptor: number) => number = library.func('dup', 'int', ['int']);
const dup2: (from: number, to: number) => number = library.func('dup2', 'int', ['int', 'int']);

/**
 * Sets an environment variable for native code, unless it is set already. (Setting `process.env` does not reach native
 * code from a worker or a jest test, where it is a copy.)
 */
export function setDefaultVariable(name: string, value: string): void {
  setenv(name, value, 0);
}

/**
 * Keeps a loaded library in memory until the process ends. koffi closes its libraries at exit, while handlers of
 * TensorFlow that run after that still point into them: a segmentation fault at every exit.
 */
export function pin(file: string): void {
  const [NOW, NOLOAD, NODELETE] = process.platform === 'darwin' ? [0x2, 0x10, 0x80] : [0x2, 0x4, 0x1000];
  if (!dlopen(file, NOW | NOLOAD | NODELETE)) throw new Error(`${file} cannot be kept in memory.`);
}

/** Does something while the process's stderr goes nowhere: for native code that takes no request to be quiet. */
export function silently<T>(action: () => T): T {
  const STDERR = 2;
  const original = dup(STDERR);
  if (original < 0) return action();
  try {
    const nowhere = openSync(devNull, 'w');
    dup2(nowhere, STDERR);
    closeSync(nowhere);
    return action();
  } finally {
    dup2(original, STDERR);
    closeSync(original);
  }
}
