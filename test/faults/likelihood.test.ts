/** Wrong input to the likelihoods is refused by name, before any work. */
import { linearSchedule, type Denoiser } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import {
  createLossHistory,
  decoderLogLikelihood,
  decoderLogProbability,
  flowLikelihood,
  variationalBound,
  type BoundOptions,
  type FlowOptions,
} from '../../lib/likelihood';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const T = 6;
const schedule = linearSchedule({ T, betaStart: 0.02, betaEnd: 0.4 });
const never: Denoiser = () => {
  throw new Error('the denoiser was asked');
};
const common = { denoiser: never, schedule, generator: createGenerator(0) };

type Row = [string, object, RegExp];
const shared: Row[] = [
  ['no samples', { x0: undefined }, /either dataset or x0/],
  ['count', { count: 3 }, /count is 3, but there are only 2/],
  ['no count', { count: 0 }, /count is 0/],
  ['batchSize', { batchSize: 1.5 }, /batchSize is 1.5/],
  ['bfloat16 op by op', { eager: true, precision: 'bfloat16' }, /bfloat16/],
];

async function refuses(
  run: (x0: tf.Tensor) => Promise<unknown>,
  x0: tf.Tensor,
  message: RegExp,
): Promise<void> {
  await expect(run(x0)).rejects.toThrow(message);
  x0.dispose();
}

describe('variationalBound', () => {
  const bound = (options: object) => (x0: tf.Tensor) =>
    variationalBound({ ...common, x0, ...options } as BoundOptions);

  test.each<Row>([
    ...shared,
    ['decoderStd 0', { decoderStd: 0 }, /decoderStd is 0: .* above 0/],
    ['decoderStd NaN', { decoderStd: NaN }, /decoderStd is NaN/],
    ['variance', { variance: 'learned' }, /variance is "learned"/],
    ['decoder', { decoder: 'pixels' }, /decoder is "pixels"/],
    ['no range', { clipDenoised: true }, /clipRange/],
    ['a turned range', { clipDenoised: true, clipRange: [1, -1] }, /clipRange is \[1,-1\]/],
    ['draws', { steps: { draws: 0 } }, /draws is 0/],
    ['weights of another T', { steps: { draws: 1, weights: [1, 1] } }, /weights has 2 .* 6 steps/],
    ['a weight of 0', { steps: { draws: 1, weights: [1, 1, 0, 1, 1, 1] } }, /weights\[2\] is 0/],
    [
      'a history of another T',
      { steps: { draws: 1, weights: createLossHistory({ T: 5 }) } },
      /T = 5, but the schedule has T = 6/,
    ],
  ])('%s', (_, options, message) => refuses(bound(options), tf.zeros([2, 2]), message));

  test.each([
    ['pixels in [0, 1]', [0, 1 / 255, 0.5, 1]],
    ['bytes', [0, 17, 128, 255]],
    ['levels with noise', [-1, 0.2, 1, 0.001]],
    ['NaN', [NaN, -1, 1, -1]],
  ])('%s are no grey levels', (_, values) =>
    refuses(bound({}), tf.tensor4d(values, [1, 2, 2, 1]), /no grey level/),
  );

  test('a shape that is neither of images nor of points', () =>
    refuses(bound({}), tf.zeros([2, 3, 4]), /x0 has shape \[2,3,4\]/));
});

describe('flowLikelihood', () => {
  const flow = (options: object) => (x0: tf.Tensor) =>
    flowLikelihood({ ...common, x0, ...options } as FlowOptions);

  test.each<Row>([
    ...shared,
    ['solverSteps 0', { solverSteps: 0 }, /solverSteps is 0: .* from 1 to T - 1 = 5/],
    ['too many solverSteps', { solverSteps: 6 }, /solverSteps is 6/],
    ['probes', { probes: 0 }, /probes is 0/],
    ['points that are no grey levels', { dequantise: 'uniform' }, /no grey level/],
    ['a way to dequantise', { dequantise: true }, /dequantise is 'true': use 'noise', 'uniform' or 'none'/],
  ])('%s', (_, options, message) => refuses(flow(options), tf.zeros([2, 2]), message));

  test('a denoiser that throws leaves nothing behind', () =>
    refuses(flow({}), tf.zeros([2, 2]), /the denoiser was asked/));
});

test('the decoder', () => {
  expect(() => decoderLogProbability(256, { mean: 0, std: 1 })).toThrow(/level is 256/);
  expect(() => decoderLogProbability(0.5, { mean: 0, std: 1 })).toThrow(/level is 0.5/);
  expect(() => decoderLogProbability(0, { mean: NaN, std: 1 })).toThrow(/mean is NaN/);
  expect(() => decoderLogProbability(0, { mean: 0, std: 0 })).toThrow(/std is 0/);
  tf.tidy(() => {
    const x0 = tf.zeros([2, 3]);
    expect(() => decoderLogLikelihood({ x0, mean: tf.zeros([3]), std: 1 })).toThrow(/\[2,3\] .* \[3\]/);
    expect(() => decoderLogLikelihood({ x0, mean: x0, std: -1 })).toThrow(/std is -1/);
  });
});

test('the history of losses', () => {
  expect(() => createLossHistory({ T: 0 })).toThrow(/T is 0/);
  expect(() => createLossHistory({ T: 3, length: 0 })).toThrow(/length is 0/);
  expect(() => createLossHistory({ T: 3, uniformShare: 0 })).toThrow(/uniformShare is 0/);
  const history = createLossHistory({ T: 3 });
  expect(() => history.update([3], [1])).toThrow(/t is 3/);
  expect(() => history.update([1], [NaN])).toThrow(/loss of step 1 is NaN/);
});
