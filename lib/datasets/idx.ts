import { readWhole } from '../io';

// Format: the page of the MNIST database (http://yann.lecun.com/exdb/mnist): two zero bytes, the type of the elements,
// the number of axes, one big-endian uint32 an axis, then the elements.

const UBYTE = 0x08;

export interface IdxArray {
  shape: number[];
  /** A view of the file's bytes. */
  data: Uint8Array;
}

/**
 * Reads an idx file of unsigned bytes, as the MNIST files are.
 * @param axes how many axes it must have: 3 for images, 1 for labels.
 * @throws Error naming the file, what was found, what was expected and the remedy.
 */
export function readIdx(file: string, axes: number): IdxArray {
  const bytes = readWhole(file, 'the dataset file');
  const fail = (found: string, expected: string): never => {
    throw new Error(
      `The dataset file ${file} has ${found}, expected ${expected}. ` +
        'It is damaged or another file: delete it and get it again (npm start restores the MNIST files).',
    );
  };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    return fail('the mark of a gzip file', 'an idx file; unpack it with gunzip');
  const header = 4 + 4 * axes;
  if (bytes.length < header) return fail(`${bytes.length} bytes`, `at least the ${header} of its header`);
  const magic = bytes.readUInt32BE();
  const wanted = UBYTE * 256 + axes;
  if (magic !== wanted) return fail(`the magic number ${magic}`, `${wanted} (unsigned bytes, ${axes} axes)`);
  const shape = Array.from({ length: axes }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const size = header + shape.reduce((product, length) => product * length, 1);
  if (bytes.length !== size)
    return fail(
      `${bytes.length} bytes${bytes.length < size ? ' (cut off)' : ''}`,
      `${size} for the shape [${shape.join(', ')}]`,
    );
  return { shape, data: bytes.subarray(header) };
}
