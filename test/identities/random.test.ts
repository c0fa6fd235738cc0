import { createGenerator, Generator, tf } from '../../lib/engine';
import { AttributeType } from '../../lib/engine/attributes';
import { drawRows, layoutOf, type Rows } from '../../lib/engine/streams';
import { executeRaw } from '../../lib/engine/tensorflow';
import { DataType } from '../../lib/engine/dtypes';
import { Counter, Key, philox } from '../../lib/engine/philox';

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

/** Random bits of TensorFlow's own op, as unsigned numbers. */
function tensorflowBits(key: Key, counter: Counter, shape: number[]): number[] {
  const words = (list: readonly number[]) =>
    BigUint64Array.from(
      { length: list.length / 2 },
      (_, i) => (BigInt(list[2 * i + 1]) << 32n) | BigInt(list[2 * i]),
    );
  const bits = executeRaw(
    'StatelessRandomUniformFullIntV2',
    [
      { name: 'dtype', type: AttributeType.type, value: DataType.int32 },
      { name: 'Tshape', type: AttributeType.type, value: DataType.int32 },
    ],
    [
      { shape: [shape.length], dtype: DataType.int32, values: shape },
      { shape: [1], dtype: DataType.uint64, values: words(key) },
      { shape: [2], dtype: DataType.uint64, values: words(counter) },
      { shape: [], dtype: DataType.int32, values: [1] },
    ],
  );
  return values(bits).map((word) => word >>> 0);
}

describe('Philox4x32-10', () => {
  // The published known answers of the Random123 library.
  test.each<[Counter, Key, string]>([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('known answer of %p', (counter, key, expected) => {
    expect(hex(philox(key, counter))).toBe(expected);
  });

  test('has the bits of the op, block for block, with the carry to the next word of the counter', () => {
    const key: Key = [0xdeadbeef, 0x12345678];
    const expected = [0xfffffffe, 0xffffffff, 0, 1].map((low, i): Counter => [low, i < 2 ? 7 : 8, 3, 0]);
    expect(tensorflowBits(key, [0xfffffffe, 7, 3, 0], [4, 4])).toEqual(
      expected.flatMap((each) => philox(key, each)),
    );
  });

  test('integers and uniform numbers are made of those bits, row i from block i on', () => {
    const generator = createGenerator(2 ** 40 + 5);
    expect(generator.key).toEqual([5, 2 ** 8]);
    const rows = (domain: number, count: number, size: number): number[][] =>
      Array.from({ length: count }, (_, row) =>
        Array.from({ length: Math.ceil(size / 4) }, (_, block) =>
          philox(generator.key, [row * Math.ceil(size / 4) + block, 0, domain, 0]),
        )
          .flat()
          .slice(0, size),
      );
    // TensorFlow takes the remainder for an integer, and the low 23 bits for a float in [1, 2) less 1.
    const remainders = rows(3, 3, 6)
      .flat()
      .map((word) => word % 1000);
    expect(values(generator.integers([3, 6], { max: 1000 }))).toEqual(remainders);
    const fractions = rows(2, 3, 6)
      .flat()
      .map((word) => (word & 0x7fffff) / 2 ** 23);
    expect(values(generator.uniform([3, 6]))).toEqual(fractions);
  });
});

describe('in JavaScript, for engines without TensorFlow', () => {
  const bounds = [-(2 ** 31) + 1, 2 ** 31 - 1] as const;
  const shapes = [
    { count: 0, size: 4 },
    { count: 3, size: 0 },
    { count: 1, size: 1 },
    { count: 5, size: 6 },
    { count: 400, size: 28 },
  ];
  // Rows of 28 are 7 blocks: soon after the last of these the low word of the counter overflows.
  const firsts = [0, 3, 2 ** 33, Math.floor(2 ** 32 / 7) - 1];

  test.each(shapes)('%p: the numbers of the ops, integers and uniform ones bit by bit', ({ count, size }) => {
    const generator = createGenerator(2 ** 45 + 9).fork('any');
    for (const firstSample of firsts) {
      const [min, max] = bounds;
      const shape = [count, size];
      const layout = layoutOf(shape, firstSample);
      const rows = (kind: Rows['kind'], domain: number): number[] =>
        Array.from(drawRows({ kind, key: generator.key, domain, bounds, ...layout }));
      expect(rows('integers', 3)).toEqual(values(generator.integers(shape, { min, max, firstSample })));
      expect(rows('uniform', 2)).toEqual(values(generator.uniform(shape, { firstSample })));
      const normal = values(generator.normal(shape, { firstSample }));
      rows('normal', 1).forEach((value, i) => expect(Math.abs(value - normal[i])).toBeLessThan(2e-6));
      expect(rows('normal', 1)).toHaveLength(normal.length);
    }
  });
});

describe('generator', () => {
  const kinds: [string, (generator: Generator, shape: number[], firstSample?: number) => tf.Tensor][] = [
    ['normal', (generator, shape, firstSample) => generator.normal(shape, { firstSample })],
    ['uniform', (generator, shape, firstSample) => generator.uniform(shape, { firstSample })],
    ['integers', (generator, shape, firstSample) => generator.integers(shape, { max: 1000, firstSample })],
  ];

  test.each(kinds)('%s: equal seed and path, equal numbers; any difference, other numbers', (_, draw) => {
    const of = (generator: Generator) => values(draw(generator, [4, 5]));
    expect(of(createGenerator(0))).toEqual(of(createGenerator(0)));
    const path = () => createGenerator(7).fork('noise', 3);
    expect(of(path())).toEqual(of(path()));
    const root = createGenerator(0);
    const others = [
      root,
      createGenerator(1),
      createGenerator(2 ** 32),
      createGenerator(2 ** 53 - 1),
      root.fork('a'),
      root.fork('b'),
      root.fork('a', 1),
      root.fork('a1'),
      root.fork('1a'),
      root.fork('a', '1'),
      root.fork(1, 'a'),
      root.fork(1),
      root.fork(2 ** 32 + 1),
      root.fork('1'),
      root.fork(''),
      root.fork('', ''),
      root.fork('a\0'),
      root.fork('twelve bytes'),
      root.fork('twelve bytes', ''),
      root.fork('twelve bytes+'),
    ];
    expect(new Set(others.map((generator) => String(of(generator)))).size).toBe(others.length);
  });

  test.each(kinds)('%s: row i depends neither on the number of rows nor on the first one', (_, draw) => {
    const generator = createGenerator(3).fork('rows');
    for (const row of [[], [1], [3], [4], [5], [28, 28, 1]]) {
      const size = row.reduce((product, length) => product * length, 1);
      const all = values(draw(generator, [9, ...row]));
      expect(values(draw(generator, [2, ...row]))).toEqual(all.slice(0, 2 * size));
      expect(values(draw(generator, [4, ...row], 5))).toEqual(all.slice(5 * size));
    }
  });

  test('a path can be taken in steps', () => {
    expect(createGenerator(1).fork('a', 2, 'c').key).toEqual(
      createGenerator(1).fork('a').fork(2).fork('c').key,
    );
    expect(createGenerator(1).fork().key).toEqual(createGenerator(1).key);
  });

  test('kinds of numbers from one stream share no bits', () => {
    const generator = createGenerator(0);
    const uniform = values(generator.uniform([1000]));
    const integers = values(generator.integers([1000], { max: 2 ** 23 })).map((each) => each / 2 ** 23);
    expect(uniform.filter((each, i) => each === integers[i]).length).toBeLessThan(5);
  });

  test('shapes: scalar, empty, one number a row', () => {
    const generator = createGenerator(0);
    for (const shape of [[], [0], [0, 4], [3, 0], [5], [2, 3, 4]]) {
      for (const [, draw] of kinds) expect(draw(generator, shape).shape).toEqual(shape);
    }
    expect(generator.normal([2]).dtype).toBe('float32');
    expect(generator.integers([2], { max: 3 }).dtype).toBe('int32');
  });
});

describe('bad input', () => {
  const generator = createGenerator(0);

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53, '1' as unknown as number])('seed %p', (seed) => {
    expect(() => createGenerator(seed)).toThrow(/^seed: .* must be a whole number from 0/);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['a negative size', () => generator.normal([2, -1]), /shape \[2,-1\]: -1 must be/],
    [
      'a fractional first sample',
      () => generator.normal([2], { firstSample: 0.5 }),
      /firstSample: 0.5 must be/,
    ],
    [
      'uniform: bounds in the wrong order',
      () => generator.uniform([1], { min: 1, max: 0 }),
      /min \(1\).*max \(0\)/,
    ],
    [
      'uniform: bounds equal as float32',
      () => generator.uniform([1], { min: 1, max: 1 + 1e-12 }),
      /below max/,
    ],
    ['uniform: no number', () => generator.uniform([1], { max: NaN }), /max \(NaN\)/],
    ['integers: empty range', () => generator.integers([1], { max: 0 }), /min \(0\) and max \(0\)/],
    ['integers: a fraction', () => generator.integers([1], { max: 2.5 }), /max \(2.5\)/],
    ['integers: more than 32 bits', () => generator.integers([1], { max: 2 ** 32 }), /32-bit/],
    ['fork: a fraction', () => generator.fork(0.5), /fork: path element: 0.5 must be/],
    ['fork: a negative number', () => generator.fork('a', -1), /fork: path element: -1 must be/],
    ['permutation: a negative length', () => generator.permutation(-1), /n: -1 must be/],
  ])('%s', (_, call, message) => {
    const before = tf.memory().numTensors;
    expect(call).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
