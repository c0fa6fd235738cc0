import * as fs from 'fs';
import * as path from 'path';
import { decodeSafetensors, encodeSafetensors, readSafetensors } from '../../lib/io';
import type { StoredTensor } from '../../lib/io';

const whole = fs.readFileSync(path.join(__dirname, '..', 'fixtures', 'reference.safetensors'));

/** A file with this header (an object or raw text) and so many bytes of data. */
function file(header: unknown, dataBytes = 0): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}
const read = (bytes: Uint8Array) => () => decodeSafetensors(bytes, 'a.safetensors');
const u8 = (begin: number, end: number) => ({
  dtype: 'U8',
  shape: [end - begin],
  data_offsets: [begin, end],
});

test('a file cut anywhere, and one with bytes too many, is an error with its name and the remedy', () => {
  for (let length = 0; length < whole.length; length++)
    expect(read(whole.subarray(0, length))).toThrow(/^Cannot read a\.safetensors: .* make or copy it again/);
  expect(read(Buffer.concat([whole, Buffer.alloc(3)]))).toThrow(/3 unknown bytes follow its data/);
});

test('garbage instead of a header', () => {
  expect(read(Buffer.alloc(100, 0xff))).toThrow(/header would be 18446744073709551615 bytes long/);
  expect(read(file('{"a":'))).toThrow(/header is not JSON/);
  expect(read(file('[]'))).toThrow(/not a JSON object/);
  expect(read(file('null'))).toThrow(/not a JSON object/);
  expect(read(Buffer.from('<!DOCTYPE html><html>not found</html>'))).toThrow(/header would be/);
});

test.each([
  ['overlap', { a: u8(0, 4), b: u8(3, 6) }, 6, /data of "b" overlap/],
  ['the same bytes twice', { a: u8(0, 4), b: u8(0, 4) }, 4, /data of "b" overlap/],
  ['gap', { a: u8(0, 4), b: u8(5, 6) }, 6, /gap of 1 bytes before the data of "b"/],
  ['beyond the end', { a: u8(0, 9) }, 4, /cut off: 9 bytes of data are announced, 4 are there/],
  ['backwards', { a: { dtype: 'U8', shape: [1], data_offsets: [1, 0] } }, 1, /entry of "a" is not/],
  ['negative', { a: { dtype: 'U8', shape: [1], data_offsets: [-1, 0] } }, 1, /entry of "a" is not/],
  ['fraction', { a: { dtype: 'U8', shape: [0.5], data_offsets: [0, 1] } }, 1, /entry of "a" is not/],
  ['no shape', { a: { dtype: 'U8', data_offsets: [0, 1] } }, 1, /entry of "a" is not/],
  ['no object', { a: 1 }, 0, /entry of "a" is not/],
  [
    'wrong size',
    { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } },
    4,
    /shape \[2\] and type F32 needs 8 bytes, but has 4/,
  ],
  [
    'huge shape',
    { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } },
    4,
    /needs .* bytes, but has 4/,
  ],
  [
    'unknown type',
    { a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
    4,
    /a has type BF16, not one of/,
  ],
  [
    'type from the prototype',
    { a: { dtype: 'toString', shape: [], data_offsets: [0, 0] } },
    0,
    /type toString, not one of/,
  ],
  ['metadata no text', { __metadata__: { a: 1 } }, 0, /__metadata__ is not a map/],
])('a header that does not fit: %s', (_, header, dataBytes, message) => {
  expect(read(file(header, dataBytes))).toThrow(message);
});

test('a name that comes twice, however it is spelt, is an error: JSON.parse would drop one silently', () => {
  const entry = JSON.stringify(u8(0, 1));
  expect(read(file(`{"a":${entry},"a":${entry}}`, 1))).toThrow(/key "a" twice/);
  expect(read(file(`{"a":${entry},"\\u0061":${entry}}`, 1))).toThrow(/key "a" twice/);
  expect(read(file(`{"__metadata__":{"k":"1","k":"2"}}`))).toThrow(/key "k" twice/);
  expect(
    read(file(`{"__metadata__":{"dtype":"1"},"a":${entry},"b":${JSON.stringify(u8(1, 2))}}`, 2)),
  ).not.toThrow();
});

test('what cannot be stored is refused, naming the tensor', () => {
  const encode = (name: string, tensor: unknown) => () => encodeSafetensors([[name, tensor as StoredTensor]]);
  const data = Float32Array.of(1, 2);
  expect(encode('w', { dtype: 'F32', shape: [3], data })).toThrow(
    /"w": its shape \[3\] does not fit its 2 values/,
  );
  expect(encode('w', { dtype: 'I32', shape: [2], data })).toThrow(
    /"w": I32 needs a Int32Array, not a Float32Array/,
  );
  expect(encode('w', { dtype: 'BF16', shape: [2], data })).toThrow(/"w": its type BF16 is not one of/);
  expect(encode('__metadata__', { dtype: 'F32', shape: [2], data })).toThrow(/name is reserved/);
  const twice: [string, StoredTensor] = ['w', { dtype: 'F32', shape: [2], data }];
  expect(() => encodeSafetensors([twice, twice])).toThrow(/two tensors named "w"/);
  expect(() => encodeSafetensors([], { epochs: 2 as unknown as string })).toThrow(/epochs is a number/);
});

test('a missing file says so', () => {
  expect(() => readSafetensors('no-such.safetensors')).toThrow(
    /no-such\.safetensors: there is no such file\. Check the path/,
  );
});
