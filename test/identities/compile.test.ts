/** Compiled functions compute what the plain ones do. */
import { compile, pure, run } from '../../lib/compile';
import { createGenerator, tf } from '../../lib/engine';
import { groupNormalise, silu } from '../../lib/nn';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const generator = createGenerator(4);
const normal = (name: string, shape: number[]): tf.Tensor => generator.fork(name).normal(shape);
const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

/** Plain and compiled results of the same call, which frees what it makes. */
function both<Args extends tf.Tensor[]>(
  fn: (...args: Args) => tf.Tensor,
  ...args: Args
): [number[], number[]] {
  const compiled = compile(fn);
  const results = [tf.tidy(() => fn(...args)), compiled(...args), compiled(...args)];
  const [plain, first, second] = results.map(numbers);
  expect(second).toEqual(first);
  expect(results[1].shape).toEqual(results[0].shape);
  expect(results[1].dtype).toBe(results[0].dtype);
  tf.dispose(results);
  compiled.dispose();
  return [plain, first];
}

const close = ([a, b]: [number[], number[]], tolerance = 1e-5): void => {
  expect(b).toHaveLength(a.length);
  a.forEach((value, i) =>
    expect(Math.abs(b[i] - value)).toBeLessThan(tolerance * Math.max(1, Math.abs(value))),
  );
};

describe('one function is what its ops are one by one', () => {
  const image = (): tf.Tensor4D => normal('image', [2, 6, 6, 4]) as tf.Tensor4D;
  const kernel = (): tf.Tensor4D => normal('kernel', [3, 3, 4, 4]) as tf.Tensor4D;

  test.each<[string, (x: tf.Tensor, k: tf.Tensor) => tf.Tensor]>([
    ['arithmetic', (x) => tf.add(tf.mul(x, 2), tf.square(x))],
    ['a convolution', (x, k) => tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, 2, 'same')],
    ['lists: concat, split, stack', (x) => tf.stack(tf.split(tf.concat([x, tf.neg(x)], 3), 2, 3))],
    ['a sum of many', (x) => tf.addN([x, x, tf.ones([2, 6, 6, 4])])],
    ['a gather by a table', (x) => tf.gather(x, tf.tensor1d([3, 1, 1], 'int32'), 3)],
    ['a comparison and a choice', (x) => tf.where(tf.greater(x, 0), x, tf.zerosLike(x))],
    ['group normalisation', (x) => groupNormalise(x, tf.ones([4]), tf.zeros([4]), 2)],
    ['resizing', (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [12, 12])],
    ['argMax, an int32', (x) => tf.argMax(x, 3)],
    ['its own argument', (x) => x],
    ['a constant', () => tf.tensor2d([[1, 2]])],
    ['matrix products and einsum', (x) => tf.einsum('bhwc,bhwd->bcd', x, x)],
    ['a gradient', (x) => tf.grad((y) => tf.sum(silu(y)))(x)],
  ])('%s', (_, fn) => {
    const args = [image(), kernel()];
    close(both(fn as (...tensors: tf.Tensor[]) => tf.Tensor, ...args));
    tf.dispose(args);
  });

  test('a gradient of a second order', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const second = tf.grad((y) =>
      tf
        .grad((z) => tf.sum(tf.pow(z, 3)))(y)
        .sum(),
    );
    const [plain, compiled] = both(second, x);
    expect(plain).toEqual([6, 12, 18]);
    expect(compiled).toEqual([6, 12, 18]);
    x.dispose();
  });
});

describe('what goes in and out', () => {
  test('lists and objects come back in their form', () => {
    const pair = compile((x: tf.Tensor) => [tf.add(x, 1), x]);
    const named = compile((x: tf.Tensor) => ({ sum: tf.sum(x), x }));
    const x = tf.tensor1d([1, 2]);
    const list = pair(x);
    const { sum, x: same } = named(x);
    expect(list.map(numbers)).toEqual([
      [2, 3],
      [1, 2],
    ]);
    expect([numbers(sum), numbers(same)]).toEqual([[3], [1, 2]]);
    tf.dispose([x, list, sum, same]);
    [pair, named].forEach((compiled) => compiled.dispose());
  });

  test('each shape and type is recorded once', () => {
    let runs = 0;
    const double = compile((x: tf.Tensor) => (runs++, tf.add(x, x)));
    const inputs = [tf.ones([2]), tf.ones([3]), tf.ones([2]), tf.ones([2], 'int32'), tf.ones([3])];
    const outputs = inputs.map((x) => double(x));
    expect(outputs.map(numbers)).toEqual([
      [2, 2],
      [2, 2, 2],
      [2, 2],
      [2, 2],
      [2, 2, 2],
    ]);
    expect(outputs[3].dtype).toBe('int32');
    expect([runs, double.recordings]).toEqual([3, 3]);
    tf.dispose([inputs, outputs]);
    double.dispose();
    expect(double.recordings).toBe(0);
  });

  test('tensors and variables of the closure are read at each call, numbers once', () => {
    const [weight, fixed] = [tf.tidy(() => tf.variable(tf.scalar(2))), tf.scalar(10)];
    let factor = 1;
    const f = compile((x: tf.Tensor) => tf.add(tf.mul(tf.mul(x, weight), factor), fixed));
    const value = (): number => tf.tidy(() => f(tf.scalar(3)).dataSync()[0]);
    expect(value()).toBe(16);
    tf.tidy(() => weight.assign(tf.scalar(5)));
    factor = 100;
    expect(value()).toBe(25);
    tf.dispose([weight, fixed]);
    f.dispose();
  });

  test('variables are assigned to, also several times, swapped, and with one that is only written', () => {
    const make = (value: number): tf.Variable => tf.tidy(() => tf.variable(tf.scalar(value)));
    const [a, b, written, untouched] = [1, 2, 3, 4].map(make);
    const step = compile((x: tf.Tensor) => {
      a.assign(tf.add(a, x));
      a.assign(tf.mul(a, 2));
      const old = b.clone();
      b.assign(a as tf.Tensor);
      written.assign(x);
      return tf.sub(a, old);
    });
    const results = [1, 1].map((x) => tf.tidy(() => step(tf.scalar(x)).dataSync()[0]));
    // a: (1 + 1) 2 = 4, then (4 + 1) 2 = 10; the old b: 2, then 4.
    expect(results).toEqual([2, 6]);
    expect([a, b, written, untouched].map((v) => v.dataSync()[0])).toEqual([10, 10, 1, 4]);
    tf.dispose([a, b, written, untouched]);
    step.dispose();
  });

  test('two variables that share their memory are two all the same', () => {
    const start = tf.scalar(1);
    const [a, b] = [tf.variable(start), tf.variable(start)];
    start.dispose();
    const step = compile(() => {
      a.assign(tf.add(a, 1));
      return tf.add(a, b);
    });
    expect([1, 2].map(() => tf.tidy(() => step().dataSync()[0]))).toEqual([3, 4]);
    expect([a, b].map((v) => v.dataSync()[0])).toEqual([3, 1]);
    tf.dispose([a, b]);
    step.dispose();
  });

  test('a compiled function within another is part of it', () => {
    const inner = compile((x: tf.Tensor) => tf.square(x));
    const outer = compile((x: tf.Tensor) => tf.add(inner(x), 1));
    const [x, y] = [tf.scalar(3), tf.tidy(() => outer(tf.scalar(3)))];
    expect(numbers(y)).toEqual([10]);
    expect(inner.recordings).toBe(0);
    tf.dispose([x, y]);
    outer.dispose();
  });

  test('the asynchronous call gives the same, and many of them may be on their way', async () => {
    const f = compile((x: tf.Tensor) => tf.sum(tf.square(x)));
    const inputs = Array.from({ length: 8 }, (_, i) => tf.fill([50, 50], i));
    const outputs = await Promise.all(inputs.map((x) => f.async(x)));
    expect(outputs.map((y) => y.dataSync()[0])).toEqual(inputs.map((_, i) => 2500 * i * i));
    tf.dispose([inputs, outputs]);
    f.dispose();
  });
});

describe('pure', () => {
  test('a declared function runs op by op where it is called, and compiled in `run`, with one recording', async () => {
    let runs = 0;
    const f = pure((x: tf.Tensor) => (runs++, tf.add(x, 1)));
    const x = tf.scalar(1);
    const results = [f(x), await run(f, [x]), await run(f, [x]), await run(f, [x], { eager: true })];
    expect(results.map((y) => y.dataSync()[0])).toEqual([2, 2, 2, 2]);
    expect(runs).toBe(3);
    tf.dispose([x, results]);
  });

  test('another function runs op by op in `run`, and what it returns is the caller’s', async () => {
    const own = tf.scalar(7);
    let runs = 0;
    const results = [await run(() => (runs++, own), []), await run(() => (runs++, own), [])];
    tf.dispose(results);
    expect([runs, own.isDisposed]).toEqual([2, false]);
    own.dispose();
  });
});

test('bfloat16 keeps 8 bits of the factors, and shapes and types as they are', () => {
  const [a, b] = [tf.tensor2d([[1 + 2 ** -7, 1 + 2 ** -9]]), tf.tensor2d([[1], [1]])];
  const product = compile((x: tf.Tensor2D, y: tf.Tensor2D) => tf.matMul(x, y), { precision: 'bfloat16' });
  const result = product(a, b);
  expect(result.dtype).toBe('float32');
  // 1 + 2^-7 is a bfloat16, 1 + 2^-9 rounds to 1; the sum 2 + 2^-7 rounds to 2.
  expect(numbers(result)).toEqual([2]);
  tf.dispose([a, b, result]);
  product.dispose();
});
