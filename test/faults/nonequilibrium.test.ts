/** Wrong options of the 2015 models are refused by name, before any work and without leaving a tensor behind. */
import { heartbeat, heartbeatSequences, swissRoll } from '../../lib/datasets';
import { constantShareSchedule, createSchedule } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import {
  binomialReverse,
  flipEntropyBounds,
  flipSchedule,
  gaussianEntropyBounds,
  gaussianReverse,
  perceptron,
  radialBasis,
  reverseBound,
  reverseChain,
  sampleReverse,
  trainReverse,
} from '../../lib/nonequilibrium';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';
import { binomialModel, flips, gaussianModel, schedule, steps } from '../helpers/reverse';

expectNoLeaks();

const generator = createGenerator(0);
const net = perceptron({ width: 4 });

test.each([
  ['T is 0', () => flipSchedule({ T: 0 })],
  ['rate is 1', () => flipSchedule({ T: 3, rate: 1 })],
  ['betas[1] is 0', () => flipSchedule({ betas: [0.1, 0] })],
  ['betas[0] is 1.5', () => flipSchedule({ betas: [1.5] })],
  ['betas has 2 values', () => flipSchedule({ T: 3, betas: [0.1, 0.1] })],
  ['t is 6', () => flipEntropyBounds({ schedule: flips, t: 6, ones: [0.5] })],
  ['ones[1] is 2', () => flipEntropyBounds({ schedule: flips, t: 1, ones: [0.5, 2] })],
  ['t is -1', () => gaussianEntropyBounds({ schedule, t: -1, dims: 2 })],
  ['T is 1.5', () => constantShareSchedule({ T: 1.5 })],
  ['units = 0', () => radialBasis({ units: 0 })],
  ['width = 2.5', () => perceptron({ width: 2.5 })],
  ['depth = 0', () => perceptron({ depth: 0 })],
  ['waves = -1', () => perceptron({ waves: -1 })],
  ['dims = 0', () => gaussianReverse({ schedule, dims: 0, net, generator })],
  ['dims = 1.5', () => binomialReverse({ schedule: flips, dims: 1.5, net, generator })],
  ['bits is 0', () => heartbeatSequences({ bits: 0 })],
  ['period is 9', () => heartbeatSequences({ bits: 8, period: 9 })],
  ['count is 0', () => heartbeat({ count: 0, generator })],
])('%s', (message, f) => expect(f).toThrow(message));

test('the schedule of a constant share from its config', () => {
  const { betas } = createSchedule({ kind: 'constantShare', T: 7 });
  expect(Array.from(betas)).toEqual(Array.from(constantShareSchedule({ T: 7 }).betas));
});

test('samples of another size', async () => {
  const [gaussian, bits] = [gaussianModel(), binomialModel()];
  const x0 = tf.ones([5, 3]);
  tf.tidy(() => {
    expect(() => gaussian.step(x0, steps(5, 1))).toThrow('this model is of samples [B, 2]');
    expect(() => bits.step(x0, steps(5, 1))).toThrow('xt has shape [5,3]');
  });
  await expect(reverseBound({ model: gaussian, x0, generator })).rejects.toThrow('needs [B, 2]');
  const one = tf.ones([1, 2]);
  await expect(reverseBound({ model: gaussian, x0: one, generator })).rejects.toThrow('at least two samples');
  const two = tf.ones([2, 2]);
  await expect(reverseBound({ model: gaussian, x0: two, generator, draws: 0 })).rejects.toThrow('draws is 0');
  const dataset = swissRoll({ count: 10, generator });
  const training = trainReverse({ model: bits, dataset, generator, steps: 1 });
  await expect(training.next()).rejects.toThrow('make it with dims = 2');
  const none = trainReverse({ model: gaussian, dataset, generator, steps: 0 });
  await expect(none.next()).rejects.toThrow('steps is 0');
  await expect(reverseChain({ model: gaussian, count: 0, generator }).next()).rejects.toThrow('count is 0');
  tf.dispose([x0, one, two]);
  [gaussian, bits].forEach((model) => model.dispose());
});

test('a stop ends training, chains and the bound, and frees what they held', async () => {
  const model = gaussianModel();
  const stop = createStopToken();
  const dataset = swissRoll({ count: 64, generator });
  let done = 0;
  for await (const { step } of trainReverse({ model, dataset, generator, steps: 50, batchSize: 16, stop })) {
    done = step;
    if (step === 2) stop.stop();
  }
  expect(done).toBe(2);
  await expect(sampleReverse({ model, count: 3, generator, stop })).rejects.toThrow('stopped');
  const x0 = tf.ones([2, 2]);
  expect(await reverseBound({ model, x0, generator, stop })).toBeUndefined();
  for await (const { t } of reverseChain({ model, count: 3, generator })) if (t === 3) break;
  x0.dispose();
  model.dispose();
});

test('a learning rate that is far too large is reported, with nothing left behind', async () => {
  const model = gaussianModel({}, 0);
  const dataset = swissRoll({ count: 64, generator });
  const diverge = async (): Promise<void> => {
    for await (const step of trainReverse({ model, dataset, generator, steps: 60, learningRate: 1e9 }))
      void step;
  };
  await expect(diverge()).rejects.toThrow('training diverged');
  model.dispose();
});
