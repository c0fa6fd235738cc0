/** Short training: the bound rises to what is known to be reachable, and the chains end in the data. */
import { heartbeat, heartbeatSequences, swissRoll } from '../../lib/datasets';
import { logSnrSchedule } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import {
  binomialReverse,
  exactBound,
  exactMarginal,
  flipSchedule,
  gaussianReverse,
  perceptron,
  radialBasis,
  reverseBound,
  sampleReverse,
  stateNumber,
  trainReverse,
  type MakeNet,
} from '../../lib/nonequilibrium';
import { swissRollEntropyBits } from '../../lib/oracle';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const generator = createGenerator(1);

test.each<[string, MakeNet, number]>([
  ['a perceptron', perceptron({ width: 32, depth: 1, waves: 16 }), -3],
  ['16 basis functions', radialBasis(), -3.7],
])('a coarse roll, %s: far above the Gaussian, and never above the truth', async (_, net, atLeast) => {
  const noise = 0.1;
  const schedule = logSnrSchedule({ T: 12, logSnrStart: 6.5, logSnrEnd: -3 });
  const model = gaussianReverse({ schedule, dims: 2, net, generator, covariance: 'full' });
  const dataset = swissRoll({ count: 20_000, generator: generator.fork('train'), noise });
  const { points } = swissRoll({ count: 2000, generator: generator.fork('test'), noise });
  const x0 = tf.tensor2d(points, [2000, 2]);
  const before = (await reverseBound({ model, x0, generator, draws: 2 }))!;
  expect(Math.abs(before.gain)).toBeLessThan(0.2);
  let last = 0;
  const training = { model, dataset, generator, steps: 400, batchSize: 256, learningRate: 1e-2 };
  for await (const { step } of trainReverse(training)) last = step;
  expect(last).toBe(400);
  const after = (await reverseBound({ model, x0, generator, draws: 2 }))!;
  expect(after.bits).toBeGreaterThan(atLeast);
  expect(after.bits).toBeLessThan(-swissRollEntropyBits({ noise }) + 4 * after.standardError);
  tf.dispose(x0);
  model.dispose();
});

test('eight bits of heartbeat: bound, likelihood and truth in this order, and beats from noise', async () => {
  const shape = { bits: 8, period: 4 };
  const schedule = flipSchedule({ T: 40, rate: 0.25 });
  const net = perceptron({ width: 32, depth: 1 });
  const model = binomialReverse({ schedule, dims: 8, net, generator, lastStep: 'learned' });
  const dataset = heartbeat({ ...shape, count: 4000, generator });
  const training = { model, dataset, generator, steps: 500, batchSize: 128, learningRate: 1e-2 };
  let last = 0;
  for await (const { step } of trainReverse(training)) last = step;
  expect(last).toBe(500);

  const samples = heartbeatSequences(shape);
  const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b / 4, 0);
  const bound = mean(await exactBound({ model, schedule, samples }));
  const law = await exactMarginal({ model, schedule });
  const likelihood = mean(samples.map((bits) => Math.log2(law[stateNumber(bits)])));
  expect(bound).toBeGreaterThan(-3);
  expect(bound).toBeLessThan(likelihood);
  expect(likelihood).toBeLessThan(-2);

  const drawn = await sampleReverse({ model, count: 400, generator });
  const values = Array.from(drawn.dataSync());
  const beats = new Set(samples.map(stateNumber));
  const good = Array.from({ length: 400 }, (_, i) => stateNumber(values.slice(8 * i, 8 * i + 8)));
  const share = good.filter((state) => beats.has(state)).length / 400;
  const exact = samples.reduce((sum, bits) => sum + law[stateNumber(bits)], 0);
  expect(Math.abs(share - exact)).toBeLessThan(0.08);
  expect(exact).toBeGreaterThan(0.7);
  drawn.dispose();
  model.dispose();
});

test('the same seed trains the same model, bit by bit', async () => {
  const run = async (): Promise<number[]> => {
    const net = perceptron({ width: 8, depth: 1 });
    const schedule = flipSchedule({ T: 10, rate: 0.25 });
    const model = binomialReverse({ schedule, dims: 8, net, generator });
    const dataset = heartbeat({ bits: 8, period: 4, count: 100, generator });
    const bits: number[] = [];
    for await (const step of trainReverse({ model, dataset, generator, steps: 5, batchSize: 32 }))
      bits.push(step.bits);
    model.dispose();
    return bits;
  };
  expect(await run()).toEqual(await run());
});
