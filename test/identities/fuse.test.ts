/** Parts of compiled functions that XLA compiles: the same numbers, inside and out. */
import { compile, fuse, RecordingError } from '../../lib/compile';
import { createGenerator, tf } from '../../lib/engine';
import { groupNormalise } from '../../lib/nn';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const generator = createGenerator(6);
const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
const largest = (a: tf.Tensor, b: tf.Tensor): number => {
  const [x, y] = [numbers(a), numbers(b)];
  expect(x).toHaveLength(y.length);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
};

test('a part is called op by op outside, recorded once inside, and gives the same', () => {
  let runs = 0;
  const part = fuse((x: tf.Tensor, y: tf.Tensor) => (runs++, { sum: tf.add(x, y), product: tf.mul(x, y) }), {
    from: 0,
  });
  const whole = compile((x: tf.Tensor) => {
    const { sum, product } = part(x, tf.square(x));
    const again = part(product, sum);
    return tf.sub(again.sum, again.product);
  });
  const x = tf.tensor1d([1, -2, 3]);
  const plain = tf.tidy(() => {
    const { sum, product } = part(x, tf.square(x));
    return tf.sub(tf.add(product, sum), tf.mul(product, sum));
  });
  const [first, second] = [whole(x), whole(x)];
  expect([numbers(first), numbers(second)]).toEqual([numbers(plain), numbers(plain)]);
  expect(runs).toBe(2);
  tf.dispose([x, plain, first, second]);
  whole.dispose();
});

test('without XLA it is no part, and in float32 all the same', () => {
  let runs = 0;
  const part = fuse((x: tf.Tensor2D) => (runs++, tf.matMul(x, x)), { from: 0, xla: false });
  const whole = compile((x: tf.Tensor2D) => part(part(x) as tf.Tensor2D), { precision: 'bfloat16' });
  const x = tf.tensor2d([[1 + 2 ** -9]]); // no bfloat16
  const result = whole(x);
  expect(numbers(result)[0]).toBeCloseTo((1 + 2 ** -9) ** 4, 6);
  expect(runs).toBe(2);
  tf.dispose([x, result]);
  whole.dispose();
});

test('a small first argument is not worth a part of its own', () => {
  let runs = 0;
  const part = fuse((x: tf.Tensor) => (runs++, tf.add(x, 1)), { from: 4 });
  const whole = compile((x: tf.Tensor) => part(part(x)));
  const [small, large] = [tf.ones([3]), tf.ones([4])];
  const results = [whole(small), whole(large)];
  expect(results.map(numbers)).toEqual([
    [3, 3, 3],
    [3, 3, 3, 3],
  ]);
  expect(runs).toBe(3); // twice in line, once as a part
  tf.dispose([small, large, results]);
  whole.dispose();
});

test('a part that reads what is not among its arguments is refused, and the engine goes on', () => {
  const [variable, x] = [tf.tidy(() => tf.variable(tf.scalar(2))), tf.ones([2])];
  const reading = fuse((y: tf.Tensor) => tf.mul(y, variable), { from: 0 });
  const whole = compile((y: tf.Tensor) => reading(y));
  expect(() => whole(x)).toThrow(RecordingError);
  expect(() => whole(x)).toThrow('a fused part reads a tensor that is not among its arguments');
  expect(numbers(variable)).toEqual([2]);
  tf.dispose([variable, x]);
});

describe.each(['none', 'silu'] as const)('group normalisation of a large batch, then %s', (activation) => {
  const shape = [32, 16, 16, 16]; // as many elements as a part needs
  const gradients = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, weights: tf.Tensor): tf.Tensor[] => {
    const f = (...args: tf.Tensor[]): tf.Tensor =>
      tf.sum(tf.mul(groupNormalise(args[0], args[1], args[2], 4, { activation }), weights));
    return [groupNormalise(x, gamma, beta, 4, { activation }), ...tf.grads(f)([x, gamma, beta])];
  };
  const inputs = (): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] => [
    tf.tidy(() => generator.fork('x').normal(shape).add(3)),
    generator.fork('gamma').normal([16]),
    generator.fork('beta').normal([16]),
    generator.fork('weights').normal(shape),
  ];

  test('values and gradients to 1e-5 of their size', () => {
    const args = inputs();
    const compiled = compile(gradients);
    const [plain, fused] = [tf.tidy(() => gradients(...args)), compiled(...args)];
    plain.forEach((tensor, i) => {
      const size = numbers(tensor).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest(tensor, fused[i]) / size).toBeLessThan(1e-5);
    });
    tf.dispose([args, plain, fused]);
    compiled.dispose();
  });

  test('between two products in bfloat16, to 2 % of their size', () => {
    const args = inputs();
    const kernel = generator.fork('kernel').normal([1, 1, 16, 16]) as tf.Tensor4D;
    const net = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, weights: tf.Tensor): tf.Tensor[] => {
      const conv = (y: tf.Tensor): tf.Tensor => tf.conv2d(y as tf.Tensor4D, kernel, 1, 'same');
      const f = (...a: tf.Tensor[]): tf.Tensor =>
        tf.sum(tf.mul(conv(groupNormalise(conv(a[0]), a[1], a[2], 4, { activation })), weights));
      return tf.grads(f)([x, gamma, beta]);
    };
    const compiled = compile(net, { precision: 'bfloat16' });
    const [plain, narrow] = [tf.tidy(() => net(...args)), compiled(...args)];
    plain.forEach((tensor, i) => {
      expect(narrow[i].dtype).toBe('float32');
      const size = Math.sqrt(numbers(tensor).reduce((sum, value) => sum + value * value, 0));
      const error = Math.sqrt(tf.tidy(() => numbers(tf.sum(tf.squaredDifference(tensor, narrow[i])))[0]));
      expect(error / size).toBeLessThan(0.02);
      expect(error).toBeGreaterThan(0);
    });
    tf.dispose([args, kernel, plain, narrow]);
    compiled.dispose();
  });
});
