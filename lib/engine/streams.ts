/** Rows of random numbers from Philox in JavaScript: what TensorFlow's ops for random numbers draw, where it is absent. */
import { Counter, Key, philox } from './philox';

/** Which random numbers: `count` rows of `size`, each padded to whole Philox blocks. */
export interface Rows {
  kind: 'normal' | 'uniform' | 'integers';
  key: Key;
  /** Half of the counter, so that the kinds share no bits. */
  domain: number;
  /** Number of the first row. */
  first: number;
  count: number;
  size: number;
  /** Of integers: from `min` up to, but without, `max`. */
  bounds: readonly [min: number, max: number];
}

/** Numbers in one Philox block. */
export const BLOCK = 4;

/** A run of Philox blocks: block i has the counter `[first + i, domain]`, two uint64. */
interface Blocks {
  key: Key;
  first: bigint;
  domain: number;
  count: number;
}

/** The blocks of some rows, end to end. */
export function blocksOf({ key, domain, first, count, size }: Rows): Blocks {
  const perRow = Math.ceil(size / BLOCK);
  return { key, domain, first: BigInt(first) * BigInt(perRow), count: count * perRow };
}

/** The numbers row by row, without the padding. */
export function drawRows(rows: Rows): Float32Array | Int32Array {
  const all = drawBlocks(rows);
  const { count, size } = rows;
  const padded = all.length / count;
  if (count === 0 || padded === size) return all;
  for (let row = 1; row < count; row++) all.copyWithin(row * size, row * padded, row * padded + size);
  return all.slice(0, count * size);
}

function drawBlocks(rows: Rows): Float32Array | Int32Array {
  const blocks = blocksOf(rows);
  switch (rows.kind) {
    case 'normal':
      return normalBlocks(blocks);
    case 'uniform':
      return uniformBlocks(blocks);
    case 'integers':
      return integerBlocks(blocks, ...rows.bounds);
  }
}

/** Calls `use` with the four words of each block, and where the block begins. */
function eachBlock(
  { key, first, domain, count }: Blocks,
  use: (a: number, b: number, c: number, d: number, at: number) => void,
): void {
  let low = Number(first & 0xffffffffn);
  let high = Number((first >> 32n) & 0xffffffffn);
  for (let block = 0; block < count; block++) {
    const [a, b, c, d] = philox(key, [low, high, domain, 0] as Counter);
    use(a, b, c, d, BLOCK * block);
    low = (low + 1) >>> 0;
    if (low === 0) high = (high + 1) >>> 0;
  }
}

/** `[0, 1)` from the low 23 bits, which become the fraction of a float32. */
const unit = (word: number): number => (word & 0x7fffff) / 2 ** 23;

/** Uniform numbers in [0, 1), as `StatelessRandomUniformV2` draws them, bit by bit. */
function uniformBlocks(blocks: Blocks): Float32Array {
  const values = new Float32Array(BLOCK * blocks.count);
  eachBlock(blocks, (a, b, c, d, at) => {
    values[at] = unit(a);
    values[at + 1] = unit(b);
    values[at + 2] = unit(c);
    values[at + 3] = unit(d);
  });
  return values;
}

/** Whole numbers in [min, max), as `StatelessRandomUniformIntV2` draws them, bit by bit. */
function integerBlocks(blocks: Blocks, min: number, max: number): Int32Array {
  const range = max - min;
  const values = new Int32Array(BLOCK * blocks.count);
  eachBlock(blocks, (a, b, c, d, at) => {
    values[at] = min + (a % range);
    values[at + 1] = min + (b % range);
    values[at + 2] = min + (c % range);
    values[at + 3] = min + (d % range);
  });
  return values;
}

/**
 * Standard normal numbers, as `StatelessRandomNormalV2` draws them, but for float32 rounding: two from two words u and v
 * (Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958), `sqrt(-2 ln u) (sin, cos)(2 pi v)`.
 */
function normalBlocks(blocks: Blocks): Float32Array {
  const values = new Float32Array(BLOCK * blocks.count);
  const pair = (u: number, v: number, at: number): void => {
    const radius = Math.sqrt(-2 * Math.log(Math.max(unit(u), SMALLEST)));
    const angle = 2 * Math.PI * unit(v);
    values[at] = radius * Math.sin(angle);
    values[at + 1] = radius * Math.cos(angle);
  };
  eachBlock(blocks, (a, b, c, d, at) => {
    pair(a, b, at);
    pair(c, d, at + 2);
  });
  return values;
}

/** TensorFlow's floor for u, whose logarithm must be finite. */
const SMALLEST = Math.fround(1e-7);
