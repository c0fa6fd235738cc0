/** Functions that cannot be compiled say why, and leave engine and variables as they were. */
import { compile, RecordingError } from '../../lib/compile';
import { tf } from '../../lib/engine';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const one = (): tf.Tensor1D => tf.tensor1d([1]);

/** The error of the call, after which the engine must work as before. */
function failure(fn: (x: tf.Tensor) => unknown): Error {
  const x = one();
  const variable = tf.tidy(() => tf.variable(tf.scalar(3)));
  let error: unknown;
  const compiled = compile((input: tf.Tensor) => {
    variable.assign(tf.scalar(5));
    return fn(input) as tf.Tensor;
  });
  try {
    tf.dispose(compiled(x) as tf.TensorContainer);
  } catch (thrown) {
    error = thrown;
  }
  expect(variable.dataSync()[0]).toBe(3);
  expect(Math.random()).toBeLessThan(1);
  const working = compile((input: tf.Tensor) => tf.add(input, variable));
  const result = working(x);
  expect(Array.from(result.dataSync())).toEqual([4]);
  expect(compiled.recordings).toBe(0);
  [working, compiled].forEach((each) => each.dispose());
  tf.dispose([x, variable, result]);
  return error as Error;
}

test.each<[string, (x: tf.Tensor) => unknown, string]>([
  ['reads a value', (x) => tf.scalar(x.dataSync()[0]), 'the value of a tensor is read'],
  ['branches on a value', (x) => (x.arraySync() ? x : tf.neg(x)), 'the value of a tensor is read'],
  ['draws random numbers in JavaScript', () => tf.randomNormal([2]), 'it draws random numbers in JavaScript'],
  ['makes a variable', (x) => tf.variable(x), 'it makes a variable'],
  [
    'has a result of unknown size',
    (x) => tf.unique(x as tf.Tensor1D).values,
    'the op UniqueV2 cannot be recorded: its shape depends on values',
  ],
  ['is asynchronous', async (x) => x, 'it is asynchronous'],
  ['returns a number', () => 3, 'it returns something other than a tensor'],
  ['returns nothing', () => undefined, 'it returns something other than a tensor'],
  ['returns a list with a hole', (x) => [x, undefined], 'it returns something other than a tensor'],
])('a function that %s', (_, fn, message) => {
  const error = failure(fn);
  expect(error).toBeInstanceOf(RecordingError);
  expect(error.message).toContain(`This function cannot be compiled: ${message}`);
});

test('the error names the line of the function, not one of the library', () => {
  expect(failure((x) => tf.scalar(x.dataSync()[0])).message).toContain('compile.test.ts:');
});

test("an op that TensorFlow's graphs do not have is named", () => {
  const backend = tf.backend() as unknown as {
    executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  };
  const error = failure((x) => backend.executeSingleOutput('NoSuchOp', [], [x]));
  expect(error.message).toMatch(/the op NoSuchOp cannot be recorded: .*not registered/);
});

test("the function's own error, also from inside a gradient, comes through as it is", () => {
  const boo = new Error('boo');
  const raise = (): never => {
    throw boo;
  };
  expect(failure(raise)).toBe(boo);
  expect(failure((x) => tf.grad(() => raise())(x))).toBe(boo);
  expect(failure((x) => tf.tidy(() => tf.add(tf.mul(x, 2), raise())))).toBe(boo);
});

test('an error of TensorFlow at a call says which function it was', async () => {
  const gather = compile((x: tf.Tensor, i: tf.Tensor1D) => tf.gather(x, i), { name: 'look up' });
  const [x, good, bad] = [one(), tf.tensor1d([0], 'int32'), tf.tensor1d([4], 'int32')];
  expect(() => gather(x, bad)).toThrow(/look_up.*4 is not in \[0, 1\)/s);
  await expect(gather.async(x, bad)).rejects.toThrow(/4 is not in \[0, 1\)/);
  const result = gather(x, good);
  expect(Array.from(result.dataSync())).toEqual([1]);
  gather.dispose();
  tf.dispose([x, good, bad, result]);
});

test('a tensor or a variable from outside that was disposed of is named', () => {
  const [weight, variable] = [tf.ones([2, 3]), tf.tidy(() => tf.variable(tf.scalar(1)))];
  const first = compile((x: tf.Tensor) => tf.mul(x, weight), { name: 'scale' });
  const second = compile((x: tf.Tensor) => tf.mul(x, variable), { name: 'shift' });
  const x = one();
  tf.dispose([weight.square(), first(x), second(x)]);
  tf.dispose([weight, variable]);
  expect(() => first(x)).toThrow('scale uses a tensor float32[2,3] from outside that was disposed of');
  expect(() => second(x)).toThrow(/shift uses the variable .* which was disposed of/);
  [first, second].forEach((each) => each.dispose());
  x.dispose();
});

test('a tensor that escapes is an error, and of no use afterwards', () => {
  let escaped: tf.Tensor | undefined;
  const error = failure((x) => (escaped = tf.keep(tf.add(x, 1))));
  expect(error.message).toContain('it keeps a tensor alive');
  expect(() => escaped?.dataSync()).toThrow(/There is no tensor/);
  const user = compile((y: tf.Tensor) => tf.add(y, escaped as tf.Tensor));
  const x = one();
  expect(() => user(x)).toThrow('made while another function was recorded');
  tf.engine().state.numTensors--; // the escaped one has no memory, but tfjs counts it
  x.dispose();
});
