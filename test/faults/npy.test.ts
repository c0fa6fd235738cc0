import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { decodeNpy, encodeNpy, openNpy, readNpy } from '../../lib/io';

const fixtures = path.join(__dirname, '..', 'fixtures');
const whole = fs.readFileSync(path.join(fixtures, 'uint8.npy'));

test('a file cut anywhere is an error with its name and the remedy', () => {
  for (let length = 0; length < whole.length; length++)
    expect(() => decodeNpy(whole.subarray(0, length), 'a.npy')).toThrow(
      /^Cannot read a\.npy: .* make or copy it again/,
    );
});

test('bytes too many, a wrong mark, an unknown version and an unreadable header are errors', () => {
  expect(() => decodeNpy(Buffer.concat([whole, Buffer.alloc(1)]))).toThrow(
    /needs 24 bytes of data, but has 25/,
  );
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(whole);
    copy[at] = byte;
    return copy;
  };
  expect(() => decodeNpy(changed(0, 0))).toThrow(/does not begin with the mark/);
  expect(() => decodeNpy(changed(6, 9))).toThrow(/format version is 9/);
  expect(() => decodeNpy(changed(whole.indexOf('shape'), 0))).toThrow(/header is unreadable/);
  expect(() => decodeNpy(changed(whole.indexOf('(2, 3') + 1, 0x78))).toThrow(/header is unreadable/);
});

test('what NumPy can store but we cannot read names the way out', () => {
  expect(() => readNpy(path.join(fixtures, 'fortran.npy'))).toThrow(
    /fortran\.npy: .* Fortran order.*ascontiguousarray/,
  );
  expect(() => readNpy(path.join(fixtures, 'bigendian.npy'))).toThrow(
    /bigendian\.npy: its type is >f4.*astype/,
  );
  expect(() => readNpy('no-such.npy')).toThrow(/no-such\.npy: there is no such file/);
});

test('data that do not fit type or shape are refused before anything is written', () => {
  const data = Uint8Array.of(1, 2, 3);
  expect(() => encodeNpy({ dtype: 'uint8', shape: [2, 2], data })).toThrow(
    /shape \[2, 2\] needs 4 values, but there are 3/,
  );
  expect(() => encodeNpy({ dtype: 'float32', shape: [3], data })).toThrow(
    /float32 must be a Float32Array, not a Uint8Array/,
  );
  expect(() => encodeNpy({ dtype: 'int8' as 'uint8', shape: [3], data })).toThrow(
    /type int8 is not supported/,
  );
  expect(() => encodeNpy({ dtype: 'uint8', shape: [-3], data })).toThrow(/whole numbers >= 0, not \[-3\]/);
});

test('the batch writer refuses half rows, rows too many, wrong types and a missing folder', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'npy-'));
  const writer = openNpy(path.join(folder, 'a.npy'), { dtype: 'uint8', shape: [2, 3] });
  expect(() => writer.write(Uint8Array.of(1, 2))).toThrow(
    /Rows of .*a\.npy have 3 values, but the batch has 2/,
  );
  expect(() => writer.write(new Uint8Array(9))).toThrow(/announced with 2 rows/);
  expect(() => writer.write(Float32Array.of(1, 2, 3))).toThrow(/must be a Uint8Array/);
  writer.abort();
  expect(fs.readdirSync(folder)).toEqual([]);
  fs.rmSync(folder, { recursive: true });
  expect(() => openNpy(path.join(folder, 'a.npy'), { dtype: 'uint8', shape: [1] })).toThrow(
    /folder .* does not exist/,
  );
});
