/** Few bits: products of transition matrices against draws and Bayes' rule; the bound below the likelihood. */
import { heartbeatSequences } from '../../lib/datasets';
import { createGenerator, tf } from '../../lib/engine';
import {
  allStates,
  bendBits,
  exactBound,
  exactMarginal,
  independentBits,
  reverseBound,
  sampleReverse,
  stateNumber,
} from '../../lib/nonequilibrium';
import { expectNoLeaks } from '../helpers/leaks';
import { binomialModel, flips } from '../helpers/reverse';

expectNoLeaks();

const generator = createGenerator(2);
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

test('states, their numbers and independent bits agree', () => {
  const states = allStates(3);
  for (let s = 0; s < 8; s++) expect(stateNumber(states.subarray(3 * s, 3 * s + 3))).toBe(s);
  const ones = [0.1, 0.7, 0.4];
  independentBits(ones).forEach((p, s) => {
    const truth = ones.reduce((product, one, i) => product * (states[3 * s + i] ? one : 1 - one), 1);
    expect(Math.abs(p - truth)).toBeLessThan(1e-15);
  });
});

describe.each(['forward', 'learned'] as const)('the last step %s', (lastStep) => {
  const samples = heartbeatSequences({ bits: 4, period: 2 });

  test('the marginal sums to 1, is where chains end, and the bound lies below it', async () => {
    const model = binomialModel({ lastStep }, 1);
    const law = await exactMarginal({ model, schedule: flips });
    expect(Math.abs(sum(law) - 1)).toBeLessThan(1e-6);

    const count = 20_000;
    const drawn = await sampleReverse({ model, count, generator });
    const shares = new Float64Array(16);
    const values = drawn.dataSync();
    for (let i = 0; i < count; i++) shares[stateNumber(values.subarray(4 * i, 4 * i + 4))] += 1 / count;
    shares.forEach((share, s) => {
      expect(Math.abs(share - law[s])).toBeLessThan(5 * Math.sqrt((law[s] + 1e-4) / count));
    });

    const bounds = await exactBound({ model, schedule: flips, samples });
    bounds.forEach((bound, k) => {
      const gap = Math.log2(law[stateNumber(samples[k])]) - bound;
      expect(gap).toBeGreaterThan(0.01);
      expect(gap).toBeLessThan(20);
    });

    const x0 = tf.tidy(() => tf.tile(tf.tensor2d(samples), [1000, 1]));
    const drawnBound = (await reverseBound({ model, x0, generator }))!;
    expect(Math.abs(drawnBound.bits - sum(bounds) / 2)).toBeLessThan(5 * drawnBound.standardError);
    tf.dispose([drawn, x0]);
    model.dispose();
  });

  test('the untrained chain ends in independent bits, for which the bound is exact', async () => {
    const model = binomialModel({ lastStep }, 0);
    const law = await exactMarginal({ model, schedule: flips });
    independentBits([0.3, 0.3, 0.3, 0.3]).forEach((p, s) => expect(Math.abs(p - law[s])).toBeLessThan(1e-6));
    const states = Array.from({ length: 16 }, (_, s) => Array.from(allStates(4).subarray(4 * s, 4 * s + 4)));
    const bounds = await exactBound({ model, schedule: flips, samples: states });
    bounds.forEach((bound, s) => expect(Math.abs(bound - Math.log2(law[s]))).toBeLessThan(1e-4));
    model.dispose();
  });
});

test('a chain of independent bits bent by weights ends in their product with the bits', async () => {
  // In the last step alone, where nothing comes after it, multiplication is Bayes' rule.
  const model = binomialModel({}, 0);
  const weights = { zero: [0.5, 1, 0, 1], one: [1, 1, 1, 0.2] };
  const bend = bendBits(weights);
  const law = await exactMarginal({
    model,
    schedule: flips,
    bend: (step, t) => (t === 0 ? bend(step) : step),
  });
  const free = await exactMarginal({ model, schedule: flips });
  expect(Math.abs(sum(law) - 1)).toBeLessThan(1e-6);
  const states = allStates(4);
  law.forEach((p, s) => {
    if (states[4 * s + 2] === 0) expect(p).toBe(0);
    // The second bit is left alone.
    const other = s ^ 4;
    if (p > 0) expect(Math.abs(p / law[other] / (free[s] / free[other]) - 1)).toBeLessThan(1e-5);
  });
  model.dispose();
});

test('models of many bits, and Gaussian ones, are refused', async () => {
  const model = binomialModel({ dims: 13 });
  const wide = { model, schedule: flips };
  await expect(exactMarginal(wide)).rejects.toThrow('13 bits');
  await expect(exactBound({ ...wide, samples: [] })).rejects.toThrow('at most 12');
  await expect(exactMarginal({ ...wide, model: { ...model, kind: 'gaussian' } })).rejects.toThrow('Gaussian');
  model.dispose();
});
