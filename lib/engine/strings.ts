import { memcpy } from './libc';
import { api } from './libtensorflow';
import { Pointer } from './signatures';

/** sizeof(TF_TString). */
const BYTES = 24;

/** Writes strings into the uninitialised memory of a string tensor. */
export function writeStrings(place: Pointer, strings: ArrayLike<Uint8Array>): void {
  for (let i = 0; i < strings.length; i++, place += BigInt(BYTES)) {
    const bytes = strings[i];
    api.TF_StringInit(place);
    api.TF_StringCopy(place, bytes.length > 0 ? bytes : Buffer.alloc(1), bytes.length);
  }
}

/** Bytes of a tensor of so many strings. */
export const stringBytes = (count: number): number => BYTES * count;

/** Copies the strings of a tensor of so many bytes. */
export function readStrings(place: Pointer, tensorBytes: number): Uint8Array[] {
  return Array.from({ length: tensorBytes / BYTES }, (_, i) => {
    const string = place + BigInt(BYTES * i);
    const bytes = new Uint8Array(Number(api.TF_StringGetSize(string)));
    if (bytes.length > 0) memcpy(bytes, api.TF_StringGetDataPointer(string), bytes.length);
    return bytes;
  });
}
