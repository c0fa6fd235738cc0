/** Weights that are part of a function, loops inside one, and noise that one draws itself. */
import { compile, repeat } from '../../lib/compile';
import { createGenerator, integersFrom, normalFrom, seedOf, tf } from '../../lib/engine';
import { EagerContext } from '../../lib/engine/context';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());
const variable = (value: number): tf.Variable => tf.tidy(() => tf.variable(tf.scalar(value)));
const int = (value: number): tf.Scalar => tf.scalar(value, 'int32');

describe('freeze', () => {
  test('a changed variable is seen at the next call, and what is out of date is given back', async () => {
    const added = jest.spyOn(EagerContext.prototype, 'addFunction');
    const removed = jest.spyOn(EagerContext.prototype, 'removeFunction');
    const v = variable(2);
    let runs = 0;
    const f = compile((x: tf.Tensor) => (runs++, tf.mul(x, v)), { freeze: true });
    const results: number[] = [];
    for (const value of [2, 2, 5, 5]) {
      if (value !== results.at(-1)! / 10) tf.tidy(() => v.assign(tf.scalar(value)));
      results.push(tf.tidy(() => numbers(f(tf.scalar(10)))[0]));
    }
    expect(results).toEqual([20, 20, 50, 50]);
    expect([f.recordings, added.mock.calls.length - removed.mock.calls.length]).toEqual([1, 1]);
    expect(runs).toBeLessThan(4);

    const x = tf.scalar(10);
    const before = f.async(x);
    tf.tidy(() => v.assign(tf.scalar(7)));
    const after = f(x);
    expect([numbers(await before), numbers(after)]).toEqual([[50], [70]]);
    tf.dispose([x, await before, after, v]);
    f.dispose();
    expect(added.mock.calls.length).toBe(removed.mock.calls.length);
    jest.restoreAllMocks();
  });

  test('a function that assigns, or whose variable is gone, says so', () => {
    const v = variable(1);
    const assigning = compile((x: tf.Tensor) => (v.assign(tf.add(v, x)), x), { freeze: true });
    const reading = compile((x: tf.Tensor) => tf.add(v, x), { freeze: true });
    const x = tf.scalar(1);
    expect(() => assigning(x)).toThrow(
      'it assigns to a variable, whose value is to be fixed: leave out freeze',
    );
    expect(numbers(v)).toEqual([1]);
    reading(x).dispose();
    v.dispose();
    expect(() => reading(x)).toThrow('disposed of');
    x.dispose();
    [assigning, reading].forEach((each) => each.dispose());
  });
});

describe('repeat', () => {
  // x <- v x + table[i]: every pass sees its number, a table, and a variable.
  const recurrence =
    (v: tf.Variable) =>
    (x: tf.Tensor, times: tf.Scalar, table: tf.Tensor): tf.Tensor[] =>
      repeat(
        [x, tf.zerosLike(x)],
        ([now], { i, given }) => [tf.add(tf.mul(now, v), tf.gather(given[0], i)), now],
        { times, given: [table] },
      );
  const expected = (passes: number): number[] => {
    let [now, last] = [1, 0];
    for (let i = 0; i < passes; i++) [now, last] = [2 * now + [3, 1, 4, 1, 5][i], now];
    return [now, last];
  };

  test.each([false, true])('compiled: %p; any number of passes by one recording', (compiled) => {
    const v = variable(2);
    const plain = recurrence(v);
    const f = compile(plain, { freeze: true });
    const [x, table] = [tf.scalar(1), tf.tensor1d([3, 1, 4, 1, 5])];
    for (const passes of [0, 1, 5]) {
      const times = int(passes);
      const results = tf.tidy(() => (compiled ? f : plain)(x, times, table));
      expect(results.map((y) => numbers(y)[0])).toEqual(expected(passes));
      tf.dispose([results, times]);
    }
    expect(f.recordings).toBe(compiled ? 1 : 0);
    f.dispose();
    tf.dispose([x, table, v]);
  });

  test('its functions are removed with the one around them, also when that cannot be recorded', () => {
    const added = jest.spyOn(EagerContext.prototype, 'addFunction');
    const removed = jest.spyOn(EagerContext.prototype, 'removeFunction');
    const v = variable(2);
    const f = compile(recurrence(v), { freeze: true });
    const failing = compile(
      (x: tf.Tensor, times: tf.Scalar, table: tf.Tensor) => (
        recurrence(v)(x, times, table),
        tf.scalar(x.dataSync()[0])
      ),
      { freeze: true },
    );
    const inputs: [tf.Tensor, tf.Scalar, tf.Tensor] = [tf.scalar(1), int(2), tf.tensor1d([1, 2])];
    tf.dispose(f(...inputs));
    f.dispose();
    expect(() => failing(...inputs)).toThrow('the value of a tensor is read');
    expect(added.mock.calls.length).toBe(5);
    expect(removed.mock.calls.map(([name]) => name).sort()).toEqual(
      expect.arrayContaining([expect.stringMatching('_pass'), expect.stringMatching('_condition')]),
    );
    expect(removed.mock.calls.length).toBe(5);
    jest.restoreAllMocks();
    tf.dispose([inputs, v]);
  });

  test('what cannot be repeated says so', () => {
    const x = tf.scalar(1);
    const times = int(2);
    const grow = compile(
      (y: tf.Tensor, n: tf.Scalar) => repeat([y], ([z]) => [tf.stack([z, z])], { times: n }),
      { freeze: true },
    );
    const thawed = compile((y: tf.Tensor, n: tf.Scalar) => repeat([y], ([z]) => [tf.neg(z)], { times: n }));
    expect(() => grow(x, times)).toThrow('what it repeats changes the shape or the type of a value');
    expect(() => thawed(x, times)).toThrow('it repeats something: compile it with freeze');
    tf.dispose([x, times]);
    [grow, thawed].forEach((each) => each.dispose());
  });
});

test.each([
  [[3, 4, 4, 1], 0],
  [[2, 5], 0],
  [[2, 5], 7],
  [[1, 3], 2 ** 33],
])(
  'random numbers of shape %p from sample %p on are the same from a seed, compiled too',
  (shape, firstSample) => {
    const generator = createGenerator(2 ** 40 + 3).fork('z', 9);
    const expected = generator.normal(shape, { firstSample });
    const seed = tf.tensor1d(seedOf(generator, 'normal', shape, firstSample), 'int32');
    const draw = compile((from: tf.Tensor) => normalFrom(from, shape));
    const drawn = [normalFrom(seed, shape), draw(seed)];
    for (const noise of drawn) expect(numbers(noise)).toEqual(numbers(expected));
    const whole = generator.integers(shape, { max: 1000, firstSample });
    const from = tf.tensor1d(seedOf(generator, 'integers', shape, firstSample), 'int32');
    const drawWhole = compile((one: tf.Tensor) => integersFrom(one, shape, 1000));
    const drawnWhole = [integersFrom(from, shape, 1000), drawWhole(from)];
    for (const drawnOnes of drawnWhole) expect(numbers(drawnOnes)).toEqual(numbers(whole));
    [draw, drawWhole].forEach((each) => each.dispose());
    tf.dispose([expected, seed, drawn, whole, from, drawnWhole]);
  },
);
