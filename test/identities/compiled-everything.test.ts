/** Every layer, formula, network, loss, update and sampler of lib gives the same compiled as op by op. */
import { compile, isPure, pure, type RunOptions } from '../../lib/compile';
import { gaussianMixture } from '../../lib/datasets';
import * as diffusion from '../../lib/diffusion';
import type { Denoiser } from '../../lib/diffusion';
import * as elbo from '../../lib/elbo';
import { createGenerator, tf } from '../../lib/engine';
import * as likelihood from '../../lib/likelihood';
import * as models from '../../lib/models';
import * as nn from '../../lib/nn';
import * as nonequilibrium from '../../lib/nonequilibrium';
import * as oracle from '../../lib/oracle';
import * as sampling from '../../lib/sampling';
import * as training from '../../lib/training';
import * as vdm from '../../lib/vdm';
import { compiledErrors, relativeError } from '../helpers/compiled';
import { cases } from '../helpers/compiled-cases';
import { schedule, T } from '../helpers/compiled-inputs';
import { updates, type Update } from '../helpers/compiled-updates';
import { randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';
import { trace } from '../helpers/samplers';

const folders = { nn, diffusion, models, oracle, elbo, likelihood, sampling, training, vdm, nonequilibrium };

/** What else these folders export: functions of numbers, random draws, files, and the loop of compiled-steps.test.ts. */
const others: Record<keyof typeof folders, string[]> = {
  nn: ['Parameters', 'checkExponents', 'groupsFor'],
  diffusion: [
    ...['assertStep', 'scheduleFromBetas', 'createSchedule', 'linearSchedule', 'quadraticSchedule'],
    ...[
      'sigmoidSchedule',
      'constantSchedule',
      'cosineSchedule',
      'logSnrSchedule',
      'constantShareSchedule',
      'priorBits',
      'signalLeft',
    ],
    ...['forwardCoefficients', 'x0Coefficients', 'epsCoefficients', 'vFromEpsCoefficients'],
    ...['epsFromVCoefficients', 'x0FromVCoefficients', 'scoreCoefficient', 'posteriorCoefficients'],
    ...['epsMeanCoefficients', 'sampleTimesteps', 'x0FromScoreCoefficients'],
  ],
  models: ['presetNamed'],
  oracle: ['mixtureLogDensity', 'swissRollLogDensities', 'swissRollEntropyBits'],
  elbo: [
    ...[
      'estimate',
      'checkVae',
      'generativeMarginals',
      'logEvidence',
      'truePosterior',
      'encoderMarginals',
      'expectedConditional',
      'elboExact',
    ],
    ...['posteriorGap', 'elboMonteCarlo', 'sumOfTerms', 'consistencyTerms', 'matchingTerms'],
    ...['consistencyEstimate', 'matchingEstimate', 'consistencyStepEstimate', 'matchingStepEstimate'],
    ...['optimalEps', 'diffusionVae', 'epsWeight', 'snrWeight', 'targetWeights', 'chainOf', 'diffusionChain'],
    ...['exactSum', 'exactLogMean', 'gridSum', 'gridLogMean', 'sampledSum', 'redrawn'],
    ...Array.from({ length: 12 }, (_, i) => `line${i + 1}`),
  ],
  likelihood: [
    ...['assertStd', 'decoderLogProbability', 'decoderLogProbabilities', 'createLossHistory', 'bitsPerDimOf'],
    'dequantise',
  ],
  sampling: [
    ...['reverseSigma', 'ddimCoefficients', 'timesteps', 'assertTimestepList', 'respace'],
    ...['langevinMoments', 'langevinStationary'],
  ],
  nonequilibrium: [
    ...['flipSchedule', 'flipStep', 'flipMarginal', 'flipPosterior', 'bitEntropy', 'bitKl', 'bendBits'],
    ...['gaussianEntropyBounds', 'flipEntropyBounds', 'trainReverse', 'reverseBound', 'reverseChain'],
    ...['sampleReverse', 'allStates', 'stateNumber', 'independentBits', 'exactMarginal', 'exactBound'],
  ],
  training: [
    ...['warmupCosine', 'createTrainingState', 'train', 'startRun', 'averagedModel', 'exportWeights'],
    ...['loadModel', 'readCheckpointInfo', 'resumeTraining', 'saveCheckpoint', 'previousFile', 'stuckLoss'],
  ],
  // What runs a network, compiled or not, is in vdm-sample, vdm-loss and vdm-train.test.ts.
  vdm: [
    ...['alphaOf', 'sigmaOf', 'gammaOf', 'ancestralCoefficients', 'scheduleFromGammas', 'antitheticTimes'],
    ...['stepOfTime', 'levelLogProbabilities', 'reconstructionNats', 'gaussianError', 'lossOfSteps'],
    ...['lossOverGamma', 'lossOverTime', 'oracleAtGamma', 'quantised', 'gammaValues', 'createVdmState'],
    ...[
      'withAveragedWeights',
      'keepAveragedWeights',
      'trainVdm',
      'evaluateVdm',
      'errorByLevel',
      'ancestral',
      'sampleVdm',
    ],
  ],
};

expectNoLeaks();

type Errors = Record<string, number>;
const above = (errors: Errors, most: number): Errors =>
  Object.fromEntries(Object.entries(errors).filter(([, error]) => !(error <= most)));

const table = cases.map((one) => [[one.of, one.which].filter(Boolean).join(', '), one] as const);

describe('values and gradients', () => {
  test.each(table)('%s', (_, { make, bfloat16 }) => {
    const made = make();
    const [float32, rounded] = (['float32', 'bfloat16'] as const).map((p) => compiledErrors(made, p));
    tf.dispose([made.inputs, ...(made.variables?.values() ?? [])]);
    expect(above(float32, 1e-5)).toEqual({});
    expect(above(rounded, bfloat16 ?? 1e-5)).toEqual({});
    // Where bfloat16 is allowed it is also there.
    if (bfloat16) expect(above(rounded, 1e-4)).not.toEqual({});
  });
});

describe('five updates', () => {
  /** All variables after the updates, one behind the other. */
  function after({ make }: Update, precision?: 'float32' | 'bfloat16'): number[] {
    const generator = createGenerator(3);
    return tf.tidy(() => {
      const variables = [[3, 2], [4]].map((shape, i) => tf.variable(generator.fork(i).normal(shape)));
      const { next, apply, owned } = make(variables);
      const update = (gradient: tf.Tensor1D, numbers: tf.Tensor1D): tf.Tensor[] => {
        apply(gradient, tf.unstack(numbers));
        return [];
      };
      const run = precision ? compile(update, { precision }) : update;
      for (let i = 0; i < 5; i++)
        run(generator.fork('gradient', i).normal([10]) as tf.Tensor1D, tf.tensor1d(next()));
      const all = [...variables, ...owned];
      const values = all.flatMap((variable) => Array.from(variable.dataSync()));
      all.forEach((variable) => variable.dispose());
      return values;
    });
  }

  test.each(updates.map((one) => [`${one.of} ${JSON.stringify(one.options)}`, one] as const))(
    '%s',
    (_, one) => {
      const plain = after(one);
      expect(relativeError(after(one, 'float32'), plain)).toBeLessThan(1e-5);
      expect(relativeError(after(one, 'bfloat16'), plain)).toBeLessThan(1e-5);
    },
  );
});

describe('chains and losses', () => {
  const generator = createGenerator(8);
  let points: models.Model;
  let images: models.Model;
  beforeAll(() => {
    points = models.mlp({ dims: 2, width: 8, generator });
    images = models.unet({ channels: [9, 10], blocks: [0, 1], imageSize: 8, generator });
    for (const { parameters } of [points, images]) randomise(parameters, generator);
  });
  afterAll(() => [points, images].forEach((model) => model.dispose()));

  const list = (spacing: sampling.Spacing): number[] => sampling.timesteps({ T, steps: 3, spacing });
  const both = { generator, schedule };
  const ofImages = (more: object) => () => ({
    ...both,
    denoiser: images.predict,
    shape: [2, 8, 8, 1],
    ...more,
  });
  const ofPoints = (more: object) => () => ({ ...both, denoiser: points.predict, shape: [5, 2], ...more });
  type Options = ReturnType<ReturnType<typeof ofImages>>;
  type Way = [string, () => Options];

  const ways: Way[] = [
    ['images', ofImages({})],
    ['images, clipped', ofImages({ clipDenoised: true })],
    [
      'images, clipped, some steps, a later sample',
      ofImages({ clipDenoised: true, timesteps: list('quadratic'), firstSample: 5 }),
    ],
    ['points, three steps at a time', ofPoints({ every: 3 })],
    ['points, clipped', ofPoints({ clipDenoised: true, clipRange: [-0.5, 0.5] })],
    ...sampling.spacingNames.map((spacing): Way => [
      `points, ${spacing} steps`,
      ofPoints({ timesteps: list(spacing) }),
    ]),
  ];
  const samplers = [
    ...(['beta', 'posterior'] as const).map((variance) => ({ of: 'ddpm' as const, own: { variance } })),
    ...[0, 0.5, 1].map((eta) => ({ of: 'ddim' as const, own: { eta } })),
  ];
  const chains = samplers.flatMap(({ of, own }) =>
    ways.map(([way, options]) => [`${of} ${JSON.stringify(own)}, ${way}`, of, own, options] as const),
  );

  /** Of results op by op, compiled, and compiled in bfloat16. */
  async function compare(result: (how: RunOptions) => Promise<number[]>): Promise<void> {
    const plain = await result({ eager: true });
    expect(relativeError(await result({}), plain)).toBeLessThan(1e-5);
    const rounded = relativeError(await result({ precision: 'bfloat16' }), plain);
    expect(rounded).toBeLessThan(0.1);
    expect(rounded).toBeGreaterThan(1e-4);
  }

  test.each(chains)('%s', async (_, of, own, options) => {
    await compare(async (how) => {
      const states = await trace(sampling[of], { ...options(), ...own, ...how });
      return states.flatMap(({ xt, x0Hat }) => [...xt, ...x0Hat]);
    });
  });

  test('sample, in two batches', async () => {
    await compare(async (how) => {
      const result = await sampling.sample({ ...ofPoints({})(), batchSize: 3, ...how });
      const values = Array.from(result.dataSync());
      result.dispose();
      return values;
    });
  });

  test.each([
    ['points', (): tf.Tensor => tf.zeros([5, 2])],
    ['images', (): tf.Tensor => tf.zeros([2, 8, 8, 1])],
  ] as const)('langevin, %s, three steps at a time', async (name, start) => {
    const denoiser = (name === 'points' ? points : images).predict;
    await compare(async (how) => {
      const x = start();
      const score = sampling.scoreOf({ denoiser, schedule, t: 4 });
      const walked: number[] = [];
      const options = { ...both, score, shape: x.shape, x, stepSize: 0.1, steps: 7, every: 3, ...how };
      for await (const state of sampling.langevin(options)) walked.push(state.step, ...state.x.dataSync());
      x.dispose();
      return walked;
    });
  });

  /** What takes a denoiser, and runs it compiled if that is pure. */
  const losses: Record<string, (denoiser: Denoiser) => Promise<number[]>> = {
    validationLoss: async (denoiser) => [await training.validationLoss(common(denoiser))],
    lossByBand: async (denoiser) =>
      (await training.lossByBand({ ...common(denoiser), bands: 3 })).map(({ loss }) => loss),
    variationalBound: async (denoiser) => [...(await likelihood.variationalBound(common(denoiser)))!.values],
    flowLikelihood: async (denoiser) => [
      ...(await likelihood.flowLikelihood(common(denoiser)))!.logDensities,
    ],
    sampledTerms: async (denoiser) => {
      const x0 = generator.fork('x0').normal([4, 2]) as tf.Tensor2D;
      const terms = await elbo.sampledTerms({ ...both, x0, denoiser });
      x0.dispose();
      const { reconstruction, consistency, matching } = terms;
      return [reconstruction, ...consistency.steps, ...matching.steps].flatMap((values) => [...values]);
    },
  };
  const common = (denoiser: Denoiser) => {
    const dataset = gaussianMixture({ count: 40, generator });
    return { ...both, denoiser, dataset, batchSize: 16 };
  };

  test.each(Object.entries(losses))('%s', async (name, loss) => {
    const plain: Denoiser = (xt, t) => points.predict(xt, t);
    const compiled = compile(points.predict);
    const values = await loss(name === 'sampledTerms' ? compiled : points.predict);
    compiled.dispose();
    expect(relativeError(values, await loss(plain))).toBeLessThan(1e-5);
  });

  test('an oracle, which is declared pure; to declare it again changes nothing', async () => {
    const mixture = { weights: [1], means: [[1, 0]], std: 0.5 };
    const once = oracle.mixtureDenoiser({ mixture, schedule });
    const denoiser = pure(once);
    expect(denoiser).toBe(once);
    expect(isPure(denoiser)).toBe(true);
    const [plain, compiled] = await Promise.all(
      [true, false].map(async (eager) => trace(sampling.ddpm, { ...ofPoints({ denoiser, eager })() })),
    );
    const numbers = (states: typeof plain): number[] => states.flatMap(({ xt, x0Hat }) => [...xt, ...x0Hat]);
    expect(relativeError(numbers(compiled), numbers(plain))).toBeLessThan(1e-5);
  });

  test.each(Object.entries(folders))('%s exports no function that is left out here', (folder, exported) => {
    const run = [...cases, ...updates, ...samplers].map(({ of }) => of);
    const covered = new Set([...run, 'sample', 'langevin', ...Object.keys(losses)]);
    const functions = Object.entries(exported).filter(([, value]) => typeof value === 'function');
    const open = functions.map(([name]) => name).filter((name) => !covered.has(name));
    expect(open.sort()).toEqual([...others[folder as keyof typeof folders]].sort());
  });
});
