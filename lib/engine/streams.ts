/** Rows of random numbers from Philox in JavaScript: what TensorFlow's ops for random numbers draw, where it is absent. */
import { Counter, Key, philox } from './philox';

/** How the rows of a tensor lie in their stream: each at a block of its own, and so padded to whole blocks. */
export interface Layout {
  /** Rows, and numbers in each. */
  count: number;
  size: number;
  /** Numbers in each with the padding. */
  padded: number;
  /** The first block. */
  first: bigint;
}

/** The layout of a tensor whose first row is number `firstSample` of its stream. */
export function layoutOf(shape: readonly number[], firstSample = 0): Layout {
  const [count, ...rest] = shape.length > 0 ? shape : [1];
  const size = rest.reduce((product, length) => product * length, 1);
  const blocks = Math.ceil(size / BLOCK);
  return { count, size, padded: blocks * BLOCK, first: BigInt(firstSample) * BigInt(blocks) };
}

/** Which random numbers, but for the stream that they are of. */
export interface Kind extends Layout {
  kind: 'normal' | 'uniform' | 'integers';
  /** Of integers: from `min` up to, but without, `max`. */
  bounds: readonly [min: number, max: number];
}

/** Which random numbers. */
export interface Rows extends Kind {
  key: Key;
  /** Half of the counter, so that the kinds share no bits. */
  domain: number;
}

/** Numbers in one Philox block. */
const BLOCK = 4;

/** The numbers row by row, without the padding. */
export function drawRows(rows: Rows): Float32Array | Int32Array {
  const all = drawBlocks(rows);
  const { count, size, padded } = rows;
  if (padded === size) return all;
  for (let row = 1; row < count; row++) all.copyWithin(row * size, row * padded, row * padded + size);
  return all.slice(0, count * size);
}

function drawBlocks(rows: Rows): Float32Array | Int32Array {
  switch (rows.kind) {
    case 'normal':
      return normalBlocks(rows);
    case 'uniform':
      return uniformBlocks(rows);
    case 'integers':
      return integerBlocks(rows, ...rows.bounds);
  }
}

/** Calls `use` with the four words of each block, whose counter is `[first + i, domain]`, and where it begins. */
function eachBlock(
  { key, first, domain, count, padded }: Rows,
  use: (a: number, b: number, c: number, d: number, at: number) => void,
): void {
  let low = Number(first & 0xffffffffn);
  let high = Number((first >> 32n) & 0xffffffffn);
  for (let at = 0; at < count * padded; at += BLOCK) {
    const [a, b, c, d] = philox(key, [low, high, domain, 0] as Counter);
    use(a, b, c, d, at);
    low = (low + 1) >>> 0;
    if (low === 0) high = (high + 1) >>> 0;
  }
}

/** `[0, 1)` from the low 23 bits, which become the fraction of a float32. */
const unit = (word: number): number => (word & 0x7fffff) / 2 ** 23;

/** Uniform numbers in [0, 1), as `StatelessRandomUniformV2` draws them, bit by bit. */
function uniformBlocks(rows: Rows): Float32Array {
  const values = new Float32Array(rows.count * rows.padded);
  eachBlock(rows, (a, b, c, d, at) => {
    values[at] = unit(a);
    values[at + 1] = unit(b);
    values[at + 2] = unit(c);
    values[at + 3] = unit(d);
  });
  return values;
}

/** Whole numbers in [min, max), as `StatelessRandomUniformIntV2` draws them, bit by bit. */
function integerBlocks(rows: Rows, min: number, max: number): Int32Array {
  const range = max - min;
  const values = new Int32Array(rows.count * rows.padded);
  eachBlock(rows, (a, b, c, d, at) => {
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
function normalBlocks(rows: Rows): Float32Array {
  const values = new Float32Array(rows.count * rows.padded);
  const pair = (u: number, v: number, at: number): void => {
    const radius = Math.sqrt(-2 * Math.log(Math.max(unit(u), SMALLEST)));
    const angle = 2 * Math.PI * unit(v);
    values[at] = radius * Math.sin(angle);
    values[at + 1] = radius * Math.cos(angle);
  };
  eachBlock(rows, (a, b, c, d, at) => {
    pair(a, b, at);
    pair(c, d, at + 2);
  });
  return values;
}

/** TensorFlow's floor for u, whose logarithm must be finite. */
const SMALLEST = Math.fround(1e-7);
