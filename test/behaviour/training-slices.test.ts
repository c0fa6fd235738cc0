/** A batch in slices: the same gradient; and the turns that the event loop has meanwhile. */
import { tf } from '../../lib/engine';
import { losses, numbersOf, tinyPreset, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

describe('slices of the batch', () => {
  const sliced = (sliceSize?: number, eager?: boolean) =>
    tinyRun({ preset: tinyPreset({ training: { batchSize: 7, sliceSize, eager } }) });
  /** What `compute` was doing when the event loop had its turns: the number of them, and its own result. */
  async function withTurns<T>(compute: () => Promise<T>): Promise<{ turns: number; result: T }> {
    let turns = 0;
    let running = true;
    const tick = (): void => {
      if (!running) return;
      turns++;
      setImmediate(tick);
    };
    setImmediate(tick);
    const result = await compute();
    running = false;
    return { turns, result };
  }

  test('give the gradient of the whole batch, up to rounding, also if they do not divide it', async () => {
    const weightsAfter = async (sliceSize?: number) => {
      const run = sliced(sliceSize);
      const list = await losses(run, 4);
      const moments = numbersOf(run.options.state).moments[0];
      run.dispose();
      return [...list, ...moments];
    };
    const whole = await weightsAfter();
    expect(await weightsAfter(7)).toEqual(whole);
    expect(await weightsAfter(100)).toEqual(whole);
    for (const sliceSize of [3, 1]) {
      const parts = await weightsAfter(sliceSize);
      parts.forEach((value, i) => expect(Math.abs(value - whole[i])).toBeLessThan(1e-5));
      expect(parts).not.toEqual(whole);
    }
  });

  test('let the event loop take its turn before each of them, where the step is computed op by op', async () => {
    for (const [sliceSize, slices] of [
      [7, 1],
      [3, 3],
      [1, 7],
    ]) {
      const run = sliced(sliceSize, true);
      const { turns } = await withTurns(() => losses(run, 4));
      expect(Math.abs(turns - 4 * slices)).toBeLessThanOrEqual(2);
      run.dispose();
    }
  });

  test('are not needed for that where it is compiled: the event loop goes round while a step is computed', async () => {
    const run = sliced();
    await losses(run, 1); // compiles
    const { turns } = await withTurns(() => losses(run, 4));
    expect(turns).toBeGreaterThan(3 * 10);
    run.dispose();
  });

  test('a stop between two of them leaves the state as before the step', async () => {
    const [whole, run] = [sliced(2), sliced(2)];
    const expected = await losses(whole);
    const first = await losses(run, 3);
    const before = numbersOf(run.options.state);
    const all = tf.memory().numTensors;
    let looks = 0;
    const stop = {
      get stopped() {
        return ++looks > 3; // before the step, and before its first two slices
      },
    };
    expect(await losses(run, undefined, stop)).toEqual([]);
    expect(looks).toBe(4);
    expect(tf.memory().numTensors).toBe(all);
    expect(numbersOf(run.options.state)).toEqual(before);
    expect([...first, ...(await losses(run))]).toEqual(expected);
    expect(numbersOf(run.options.state)).toEqual(numbersOf(whole.options.state));
    for (const each of [whole, run]) each.dispose();
  });
});
