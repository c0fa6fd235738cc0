import { AttributeType } from './attributes';
import { executeRaw, RawInput, RawOp, tf } from './backend';
import { DataType } from './dtypes';
import { Counter, Key, philox } from './philox';

/**
 * A stream of random numbers that has no state: equal seed and path give equal numbers, call after call and process
 * after process. Take a child for each use (`generator.fork('noise', step)`).
 *
 * Row i of a tensor (`shape[0]` counts rows) depends on the stream and on i only, not on how many rows there are;
 * `firstSample` says which i comes first. Tensors belong to the caller.
 */
export interface Generator {
  /** Two uint32 that name the stream. */
  readonly key: Key;
  /** An independent child stream; `fork('a', 1)` is `fork('a').fork(1)`. */
  fork(...path: (string | number)[]): Generator;
  /** Standard normal numbers, float32. */
  normal(shape: number[], options?: { firstSample?: number }): tf.Tensor;
  /** Uniform numbers in `[min, max)`, float32; by default `[0, 1)`. */
  uniform(shape: number[], options?: { min?: number; max?: number; firstSample?: number }): tf.Tensor;
  /** Whole numbers in `[min, max)`, int32; an excess of at most `(max - min) / 2^32` of the first values. */
  integers(shape: number[], options: { min?: number; max: number; firstSample?: number }): tf.Tensor;
  /** The numbers 0..n-1 in random order, every order equally likely; on the host. */
  permutation(n: number): Uint32Array;
}

/** Each kind of number has counters of its own, so that two kinds from one stream share no bits. */
const Domain = { normal: 1, uniform: 2, integers: 3, permutation: 4, fork: 5 } as const;

/** TensorFlow's number for Philox. */
const PHILOX = 1;

/** Numbers in one Philox block: a row is padded to whole blocks, so that each row starts at a block of its own. */
const BLOCK = 4;

/**
 * The root of all randomness: a generator from a seed.
 *
 * @throws when the seed is not a whole number from 0 to 2^53 - 1.
 */
export function createGenerator(seed: number): Generator {
  requireCount('seed', seed);
  return new PhiloxGenerator([seed >>> 0, Math.floor(seed / 2 ** 32)]);
}

class PhiloxGenerator implements Generator {
  constructor(readonly key: Key) {}

  fork(...path: (string | number)[]): Generator {
    return new PhiloxGenerator(path.reduce<Key>(childKey, this.key));
  }

  normal(shape: number[], options: { firstSample?: number } = {}): tf.Tensor {
    return this.rows('StatelessRandomNormalV2', Domain.normal, shape, options.firstSample, FLOAT);
  }

  uniform(shape: number[], options: { min?: number; max?: number; firstSample?: number } = {}): tf.Tensor {
    const { min = 0, max = 1, firstSample } = options;
    if (!(Number.isFinite(min) && Number.isFinite(max) && Math.fround(min) < Math.fround(max))) {
      throw new Error(`uniform: min (${min}) must be a finite float32 below max (${max}).`);
    }
    return tf.tidy(() => {
      const unit = this.rows('StatelessRandomUniformV2', Domain.uniform, shape, firstSample, FLOAT);
      if (min === 0 && max === 1) return unit;
      // Rounding can reach max itself: stay below it.
      return unit
        .mul(max - min)
        .add(min)
        .clipByValue(min, float32Below(max));
    });
  }

  integers(shape: number[], options: { min?: number; max: number; firstSample?: number }): tf.Tensor {
    const { min = 0, max, firstSample } = options;
    const isInt32 = (value: number): boolean => Number.isInteger(value) && Math.abs(value) <= 0x7fffffff;
    if (!(isInt32(min) && isInt32(max) && min < max)) {
      throw new Error(`integers: min (${min}) and max (${max}) must be 32-bit whole numbers with min < max.`);
    }
    const bounds = [min, max].map((value) => int32([], [value]));
    return this.rows('StatelessRandomUniformIntV2', Domain.integers, shape, firstSample, INT, bounds);
  }

  permutation(n: number): Uint32Array {
    requireCount('n', n, 2 ** 32 - 1);
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    const below = boundedIntegers(this.key);
    // Fisher and Yates, as in Knuth's algorithm P.
    for (let i = n - 1; i > 0; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  private rows(
    op: string,
    domain: number,
    shape: number[],
    firstSample = 0,
    dtype: number,
    bounds: RawInput[] = [],
  ): tf.Tensor {
    shape.forEach((size) => requireCount(`shape [${shape}]`, size));
    requireCount('firstSample', firstSample);
    const { first } = layoutOf(shape, firstSample);
    const key = uint64([join(...this.key)]);
    return rowsFrom(op, dtype, shape, [key, uint64([first, BigInt(domain)])], bounds);
  }
}

/** How the rows of a tensor lie in their stream: each at a block of its own. */
function layoutOf(shape: readonly number[], firstSample = 0) {
  const [count, ...rest] = shape.length > 0 ? shape : [1];
  const size = rest.reduce((product, length) => product * length, 1);
  const blocks = Math.ceil(size / BLOCK);
  return { count, size, padded: blocks * BLOCK, first: BigInt(firstSample) * BigInt(blocks) };
}

/** Random numbers from a key and a first counter. */
function rowsFrom(
  op: string,
  dtype: number,
  shape: number[],
  [key, counter]: [RawInput | RawOp, RawInput | RawOp],
  bounds: RawInput[] = [],
): tf.Tensor {
  const { count, size, padded } = layoutOf(shape);
  const inputs = [int32([2], [count, padded]), key, counter, int32([], [PHILOX]), ...bounds];
  const attributes = [
    { name: 'dtype', type: AttributeType.type, value: dtype },
    { name: 'Tshape', type: AttributeType.type, value: DataType.int32 },
  ];
  return tf.tidy(() => {
    const rows = executeRaw(op, attributes, inputs) as tf.Tensor2D;
    return (padded === size ? rows : rows.slice([0, 0], [count, size])).reshape(shape);
  });
}

/** Numbers in a seed. */
export const SEED_SIZE = 6;

/**
 * What a generator's tensor of this shape and kind begins with, as int32 numbers: key, counter and kind. From a tensor of
 * them a compiled function can draw the same numbers, and other ones at each call.
 */
export function seedOf(
  generator: Generator,
  kind: 'normal' | 'integers',
  shape: readonly number[],
  firstSample = 0,
): number[] {
  const { first } = layoutOf(shape, firstSample);
  const words = [...generator.key, Number(first & 0xffffffffn), Number(first >> 32n), Domain[kind], 0];
  return words.map((word) => word | 0);
}

/** `generator.normal(shape)` from its seed, `[6]` int32. */
export function normalFrom(seed: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.tidy(() => rowsFrom('StatelessRandomNormalV2', FLOAT, shape, keyAndCounter(seed)));
}

/** `generator.integers(shape, { max })` from its seed, `[6]` int32. */
export function integersFrom(seed: tf.Tensor, shape: number[], max: number): tf.Tensor {
  const bounds = [int32([], [0]), int32([], [max])];
  return tf.tidy(() => rowsFrom('StatelessRandomUniformIntV2', INT, shape, keyAndCounter(seed), bounds));
}

function keyAndCounter(seed: tf.Tensor): [RawOp, RawOp] {
  const [key, counter] = tf.split(tf.reshape(seed, [SEED_SIZE / 2, 2]), [1, 2]);
  return [asUint64(key), asUint64(counter)];
}

/** Pairs of int32, low word first, as uint64. */
const asUint64 = (pairs: tf.Tensor): RawOp => ({
  op: 'Bitcast',
  attributes: [
    { name: 'T', type: AttributeType.type, value: DataType.int32 },
    { name: 'type', type: AttributeType.type, value: DataType.uint64 },
  ],
  inputs: [pairs],
});

const FLOAT = DataType.float32;
const INT = DataType.int32;

const int32 = (shape: number[], values: number[]): RawInput => ({
  shape,
  dtype: DataType.int32,
  values: Int32Array.from(values),
});

const uint64 = (values: bigint[]): RawInput => ({
  shape: [values.length],
  dtype: DataType.uint64,
  values: BigUint64Array.from(values),
});

const join = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

function requireCount(name: string, value: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new Error(`${name}: ${value} must be a whole number from 0 to ${most}.`);
}

/** The largest float32 below a number. */
function float32Below(value: number): number {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = value;
  if (float[0] < value) return float[0];
  if (float[0] === 0) return -(2 ** -149);
  bits[0] += float[0] > 0 ? -1 : 1;
  return float[0];
}

/** The key of a child stream: the key absorbs the element of the path block by block. */
function childKey(key: Key, element: string | number): Key {
  return blocksOf(element).reduce<Key>((state, [a, b, c]) => {
    const [k0, k1] = philox(state, [a, b, c, Domain.fork]);
    return [k0, k1];
  }, key);
}

/** Type and length come first, so that no two elements, and no two paths, have the same blocks. */
function blocksOf(element: string | number): [number, number, number][] {
  if (typeof element === 'number') {
    requireCount('fork: path element', element);
    return [[0, element >>> 0, Math.floor(element / 2 ** 32)]];
  }
  const bytes = Buffer.from(element, 'utf8');
  const words = new Uint32Array(3 * Math.ceil(bytes.length / 12));
  bytes.forEach((byte, i) => (words[i >> 2] |= byte << (8 * (i & 3))));
  const blocks: [number, number, number][] = [[1, bytes.length, 0]];
  for (let i = 0; i < words.length; i += 3) blocks.push([words[i], words[i + 1], words[i + 2]]);
  return blocks;
}

/** A source of whole numbers below a bound, without bias: what does not fill a whole range is thrown away. */
function boundedIntegers(key: Key): (bound: number) => number {
  let block = 0;
  let words: number[] = [];
  const next = (): number => {
    if (words.length === 0) words = philox(key, [block++, 0, Domain.permutation, 0] as Counter);
    return words.pop() as number;
  };
  return (bound) => {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = next();
      if (word < limit) return word % bound;
    }
  };
}
