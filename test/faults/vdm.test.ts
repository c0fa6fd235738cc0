/** Wrong input to the variational diffusion model is refused by name, before any work. */
import { gaussianMixture } from '../../lib/datasets';
import { createGenerator, tf } from '../../lib/engine';
import * as vdm from '../../lib/vdm';
import type { GammaDenoiser, VdmTrainOptions } from '../../lib/vdm';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const never: GammaDenoiser = () => {
  throw new Error('the denoiser was asked');
};
const generator = createGenerator(0);
const dataset = gaussianMixture({ count: 64, generator });
const schedule = vdm.fixedGamma();

const refusals: [string, () => unknown, RegExp][] = [
  ['turned ends', () => vdm.fixedGamma({ gammaMin: 5, gammaMax: -5 }), /gammaMin is 5 and gammaMax is -5/],
  ['an end that is no number', () => vdm.linearGamma({ gammaMin: NaN }), /gammaMin is NaN/],
  ['shape', () => vdm.fixedGamma({ shape: 'bent' as 'linear' }), /shape is "bent": use 'linear'/],
  ['units', () => vdm.monotoneGamma({ units: 0 }), /units is 0/],
  ['a time of 2', () => schedule.at(2), /t is 2/],
  ['abar 1', () => vdm.gammaOf(1), /abar is 1/],
  [
    'a step forward',
    () => vdm.ancestralCoefficients({ gammaS: 1, gammaT: 0 }),
    /gammaS is 1 and gammaT is 0/,
  ],
  ['levels that fall', () => vdm.scheduleFromGammas([0, -1]), /gammas\[1\] is -1/],
  ['no levels', () => vdm.scheduleFromGammas([]), /T is 0/],
  ['u', () => vdm.antitheticTimes({ u: 1, count: 2 }), /u is 1/],
  ['count of times', () => vdm.antitheticTimes({ u: 0, count: 0 }), /count is 0/],
  ['T of a time', () => vdm.stepOfTime(0, 1.5), /T is 1.5/],
  ['time', () => vdm.stepOfTime(1, 3), /time is 1/],
  ['a level of a decoder', () => vdm.reconstructionNats(-5, 256), /level is 256/],
  ['z', () => vdm.levelLogProbabilities({ z: NaN, gamma: 0 }), /z is NaN/],
  ['gamma', () => vdm.levelLogProbabilities({ z: 0, gamma: Infinity }), /gamma is Infinity/],
  ['no variances', () => vdm.gaussianError([]), /variances are \[\]/],
  ['T of a sum', () => vdm.lossOfSteps({ at: schedule.at, error: () => 1, T: 0 }), /T is 0/],
  ['dims', () => vdm.vdmMlp({ dims: 0, generator }), /dims is 0/],
  ['exponents', () => vdm.vdmMlp({ dims: 2, exponents: [-1], generator }), /exponents .* \[-1\]/],
  [
    'range of a network',
    () => vdm.vdmMlp({ dims: 2, gammaRange: [5, 5], generator }),
    /gammaRange\[0\] is 5/,
  ],
  ['steps of byLevel', () => vdm.byLevel((xt) => xt, { steps: 1 }), /steps is 1/],
  ['range of points', () => vdm.quantised(dataset, [1, 1]), /range is \[1,1\]/],
  [
    'steps of a sampler',
    () => vdm.ancestral({ denoiser: never, schedule, steps: 0, shape: [1, 2], generator }),
    /steps is 0/,
  ],
  [
    'shape of a sampler',
    () => vdm.ancestral({ denoiser: never, schedule, steps: 2, shape: [2], generator }),
    /shape is \[2\]/,
  ],
  [
    'firstSample',
    () => vdm.ancestral({ denoiser: never, schedule, steps: 2, shape: [2, 2], generator, firstSample: -1 }),
    /firstSample is -1/,
  ],
];

test.each(refusals)('%s', (_, wrong, message) => {
  expect(wrong).toThrow(message);
});

test('shapes that do not fit', () => {
  tf.tidy(() => {
    const [x0, eps] = [tf.zeros([2, 3]), tf.zeros([2, 4])];
    const gamma = tf.tensor1d([0]);
    expect(() => vdm.noised({ x0, gamma, eps })).toThrow(/x0 has shape \[2,3\] and eps has shape \[2,4\]/);
    expect(() => vdm.noised({ x0, gamma, eps: x0 })).toThrow(/gamma is float32 of shape \[1\]/);
    expect(() => vdm.denoised({ zt: x0, gamma, eps: x0 })).toThrow(/gamma is float32 of shape \[1\]/);
    expect(() => vdm.levelLogLikelihood({ x0, z: eps, gamma: tf.scalar(0) })).toThrow(/x0 has shape/);
    const mixture = { weights: [1], means: [[0, 0]], std: 1 };
    expect(() => vdm.mixtureGammaDenoiser(mixture)(x0, gamma)).toThrow(/zt has shape \[2,3\]/);
  });
});

describe('asynchronous', () => {
  const evaluation = { denoiser: never, schedule, dataset, generator };
  test.each<[string, object, RegExp]>([
    ['draws', { draws: 0 }, /draws is 0/],
    ['T', { T: 0 }, /T is 0/],
    ['times', { times: 'even' }, /times is "even"/],
    ['decoder', { decoder: 'grey' }, /decoder is "grey"/],
    ['no samples', { dataset: undefined }, /either dataset or x0/],
    ['count', { count: 65 }, /count is 65, but there are only 64/],
  ])('evaluateVdm: %s', async (_, wrong, message) => {
    await expect(vdm.evaluateVdm({ ...evaluation, ...wrong } as never)).rejects.toThrow(message);
  });

  test('sampleVdm: decode', async () => {
    const options = { denoiser: never, schedule, steps: 2, shape: [1, 2], generator, decode: 'all' as never };
    await expect(vdm.sampleVdm(options)).rejects.toThrow(/decode is "all"/);
  });

  test.each<[string, object, RegExp]>([
    ['interior', { interior: 'all' }, /interior is "all"/],
    ['variance with steps', { interior: 'variance', T: 5 }, /'variance' with T = 5/],
    ['T', { T: 1.5 }, /T is 1.5/],
    ['times', { times: 'even' }, /times is "even"/],
    ['batchSize', { batchSize: 65 }, /batchSize must be .* 64/],
  ])('trainVdm: %s', async (_, wrong, message) => {
    const network = vdm.vdmMlp({ dims: 2, width: 4, depth: 1, generator });
    const state = vdm.createVdmState({ network, schedule });
    const options = { state, dataset, generator, untilStep: 1, batchSize: 8, ...wrong } as VdmTrainOptions;
    await expect(vdm.trainVdm(options).next()).rejects.toThrow(message);
    state.dispose();
    network.dispose();
  });

  test('trainVdm: a loss that is no number says what to do', async () => {
    const network = vdm.vdmMlp({ dims: 2, width: 4, depth: 1, generator });
    network.parameters.forEach((variable) => tf.tidy(() => variable.assign(tf.fill(variable.shape, NaN))));
    const state = vdm.createVdmState({ network, schedule });
    const options = { state, dataset, generator, untilStep: 1, batchSize: 8 };
    await expect(vdm.trainVdm(options).next()).rejects.toThrow(
      /loss is NaN at step 1: .* smaller learningRate/,
    );
    state.dispose();
    network.dispose();
  });

  test('a state with a wrong decay leaves nothing', () => {
    const network = vdm.vdmMlp({ dims: 2, width: 4, depth: 1, generator });
    const make = (options: object) => () => vdm.createVdmState({ network, schedule, ...options });
    expect(make({ emaDecay: 1 })).toThrow(/emaDecay = 1/);
    expect(make({ adam: { beta1: 1 } })).toThrow(/beta1 = 1/);
    network.dispose();
  });
});
