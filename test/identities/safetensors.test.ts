import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import {
  decodeSafetensors,
  encodeSafetensors,
  fromFloat16,
  readSafetensors,
  toFloat16,
  writeSafetensors,
} from '../../lib/io';
import type { StoredTensor } from '../../lib/io';

/** Written by the PyPI package `safetensors`: see fixtures/make.py. */
const reference = path.join(__dirname, '..', 'fixtures', 'reference.safetensors');

const singles = Float32Array.of(
  1 / 3,
  1 + 2 ** -11,
  1 + 3 * 2 ** -11,
  2 ** -24,
  2 ** -25,
  3 * 2 ** -26,
  65504,
  65519,
  65520,
  -0,
);

const tensors: [string, StoredTensor][] = [
  [
    'weight/10',
    { dtype: 'F32', shape: [2, 3], data: Float32Array.from([0, 1, 2, 3, 4, 5], (n) => Math.fround(n) / 7) },
  ],
  ['half', { dtype: 'F16', shape: [10], data: singles }],
  ['single', { dtype: 'F32', shape: [10], data: singles }],
  ['steps', { dtype: 'I64', shape: [2], data: BigInt64Array.of(2n ** 53n + 1n, -1n) }],
  ['labels', { dtype: 'I32', shape: [3], data: Int32Array.of(7, -2, 1) }],
  ['pixels', { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 128, 255) }],
  ['betas', { dtype: 'F64', shape: [2], data: Float64Array.of(1e-4, 0.02) }],
  ['scalar', { dtype: 'F32', shape: [], data: Float32Array.of(2.5) }],
  ['nothing', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
];
const metadata = { note: 'made by "safetensors" – ε' };

test('a file of the reference implementation is read exactly', () => {
  const read = readSafetensors(reference);
  expect(read.metadata).toEqual(metadata);
  expect([...read.tensors.keys()].sort()).toEqual(tensors.map(([name]) => name).sort());
  for (const [name, { dtype, shape, data }] of tensors) {
    const found = read.tensors.get(name)!;
    expect([found.dtype, found.shape]).toEqual([dtype, shape]);
    const wanted = dtype === 'F16' ? fromFloat16(toFloat16(data as Float32Array)) : data;
    expect(Array.from<number | bigint>(found.data)).toEqual(Array.from<number | bigint>(wanted));
  }
});

test('the same content is written with the very bytes of the reference implementation', () => {
  expect(encodeSafetensors(tensors, metadata).equals(fs.readFileSync(reference))).toBe(true);
  expect(encodeSafetensors([...tensors].reverse(), metadata).equals(fs.readFileSync(reference))).toBe(true);
});

test('through the disk, with names and texts of every kind, and nothing at all', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'safetensors-'));
  const file = path.join(folder, 'a.safetensors');
  const odd = ['0', '__proto__', 'a "b" \\ {c}: [d]', 'ε', 'constructor'];
  const entries = odd.map((name, i): [string, StoredTensor] => [
    name,
    { dtype: 'U8', shape: [1], data: Uint8Array.of(i) },
  ]);
  writeSafetensors(file, entries, { '{"': '}":"{' });
  const read = readSafetensors(file);
  expect(read.metadata).toEqual({ '{"': '}":"{' });
  odd.forEach((name, i) => expect(Array.from(read.tensors.get(name)!.data as Uint8Array)).toEqual([i]));
  writeSafetensors(file, new Map());
  expect(readSafetensors(file)).toEqual({ tensors: new Map(), metadata: {} });
  fs.rmSync(folder, { recursive: true });
});

test('every array begins at a multiple of its element, and is a copy', () => {
  const bytes = encodeSafetensors(tensors, metadata);
  const headerLength = Number(bytes.readBigUInt64LE());
  expect(headerLength % 8).toBe(0);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  for (const [name, { dtype, data }] of tensors)
    expect(header[name].data_offsets[0] % (dtype === 'F16' ? 2 : data.BYTES_PER_ELEMENT)).toBe(0);
  const read = decodeSafetensors(bytes).tensors.get('pixels')!;
  bytes.fill(0);
  expect(Array.from(read.data as Uint8Array)).toEqual([0, 128, 255]);
});

describe('half precision', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = fromFloat16(all);

  test('values that the standard fixes', () => {
    const bits = [
      0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00,
    ];
    expect(Array.from(fromFloat16(bits))).toEqual([
      0,
      -0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      0.333251953125,
      1,
      -2,
      65504,
      Infinity,
      -Infinity,
      NaN,
    ]);
    expect(Array.from(toFloat16([1e9, -1e9, NaN, 1e-12, -1e-12]))).toEqual([
      0x7c00, 0xfc00, 0x7e00, 0, 0x8000,
    ]);
  });

  test('all 65,536 halves come back with the same bits', () => {
    const back = toFloat16(values);
    const wrong = all.filter((bits, i) =>
      Number.isNaN(values[i]) ? (back[i]! & 0x7fff) !== 0x7e00 : back[i] !== bits,
    );
    expect(Array.from(wrong)).toEqual([]);
  });

  test('between any two neighbours the nearer one is taken, and the even one at the middle', () => {
    // The float32 right below and above the middle: the bits of a positive float32 are ordered like its values.
    const step = (value: number, by: number) => {
      const bits = new Int32Array(Float32Array.of(value).buffer);
      bits[0] += by;
      return new Float32Array(bits.buffer)[0]!;
    };
    const wrong: number[] = [];
    for (let low = 0; low < 0x7c00; low++) {
      const next = low === 0x7bff ? 65536 : values[low + 1]!; // from there on it is infinity, 0x7c00
      const middle = (values[low]! + next) / 2;
      const [below, tie, above] = toFloat16([step(middle, -1), middle, step(middle, 1)]);
      const [, minus] = toFloat16([0, -middle]);
      const even = low % 2 === 0 ? low : low + 1;
      if (below !== low || tie !== even || above !== low + 1 || minus !== (even | 0x8000)) wrong.push(low);
    }
    expect(wrong).toEqual([]);
  });
});
