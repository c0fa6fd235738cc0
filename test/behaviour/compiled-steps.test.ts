/** Training and sampling compute the same, compiled or op by op. */
import { createSchedule, qSample } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { gaussianMixture, toBatch } from '../../lib/datasets';
import { createModel, type ModelConfig, type Preset } from '../../lib/models';
import { ddim, ddpm, timesteps, type SamplerOptions, type SamplingState } from '../../lib/sampling';
import { startRun, validationLoss, type Run } from '../../lib/training';
import { relativeError } from '../helpers/compiled';
import { expectNoLeaks } from '../helpers/leaks';
import { digits, losses, numbersOf, tinyPreset, tinyRun } from '../helpers/tiny';

expectNoLeaks();

const models: [string, ModelConfig][] = [
  ['unet', { kind: 'unet', channels: [4, 8, 8], blocks: [0, 1, 1], attention: [2] }],
  ['lecture2025', { kind: 'lecture2025', T: 20 }],
  ['mlp', { kind: 'mlp', dims: 2, width: 16 }],
];

function runOf(model: ModelConfig, training: Partial<Preset['training']>): Run {
  // The notes' rate: with a higher one their network overshoots at first, and doubles every rounding error in each step.
  const learningRate = model.kind === 'lecture2025' ? 2e-4 : 3e-3;
  const preset = { ...tinyPreset({ training: { learningRate, ...training } }), model };
  if (model.kind !== 'mlp') return startRun({ preset, dataset: digits(), seed: 2, steps: 20 });
  const dataset = gaussianMixture({ count: 64, generator: createGenerator(0) });
  return startRun({ preset, dataset, seed: 2, steps: 20 });
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
};

/** What the trained network says of some noisy samples. */
function answers({ options: { state, dataset, schedule } }: Run): number[] {
  return tf.tidy(() => {
    const x0 = toBatch(dataset, [0, 1, 2, 3]);
    const t = tf.tensor1d([0, 5, 10, 19], 'int32');
    const eps = createGenerator(5).normal(x0.shape);
    return Array.from(state.model.predict(qSample({ schedule, x0, t, eps }), t).dataSync());
  });
}

// Not the weights themselves: a bias in front of a normalisation has a gradient of 0 but for rounding, of which Adam makes
// whole steps. What the network says does not depend on it.
test.each(models)('20 training steps of %s: losses, gradients and answers to 1e-5', async (_, model) => {
  const [compiled, eager] = [runOf(model, {}), runOf(model, { eager: true })];
  expect(largest(await losses(compiled), await losses(eager))).toBeLessThan(1e-5);
  const [a, b] = [compiled, eager].map((run) => numbersOf(run.options.state));
  expect(a.steps).toEqual(b.steps);
  expect(largest(a.moments[0], b.moments[0])).toBeLessThan(1e-5);
  expect(largest(answers(compiled), answers(eager))).toBeLessThan(1e-5);
  [compiled, eager].forEach((run) => run.dispose());
});

/** The samples at the end of a chain. */
async function last(chain: AsyncGenerator<SamplingState>): Promise<number[]> {
  let values: number[] = [];
  for await (const { xt } of chain) values = Array.from(xt.dataSync());
  return values;
}

test.each(models)(
  'a sample of 50 steps from %s, by ddpm and ddim, to 1e-5 of its size',
  async (_, config) => {
    const generator = createGenerator(3);
    const model = createModel(
      config.kind === 'lecture2025' ? { ...config, T: 50 } : config,
      generator.fork('model'),
    );
    const schedule = createSchedule({ kind: 'cosine', T: 50 });
    const shape = config.kind === 'mlp' ? [4, 2] : [2, 28, 28, 1];
    const options = { denoiser: model.predict, schedule, generator, shape };
    const list = timesteps({ T: 50, steps: 10, spacing: 'trailing' });
    for (const chain of [
      (eager: boolean) => ddpm({ ...options, eager }),
      (eager: boolean) => ddim({ ...options, eager, eta: 0.5, timesteps: list }),
    ]) {
      const [compiled, eager] = [await last(chain(false)), await last(chain(true))];
      const size = eager.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      expect(largest(compiled, eager) / size).toBeLessThan(1e-5);
    }
    model.dispose();
  },
);

describe('several steps from one yield to the next', () => {
  const generator = createGenerator(4);
  const schedule = createSchedule({ kind: 'cosine', T: 50 });
  const list = timesteps({ T: 50, steps: 7, spacing: 'trailing' });
  const chains = {
    'ddpm, clipped': (options: SamplerOptions) => ddpm({ ...options, clipDenoised: true }),
    'ddim over 7 steps': (options: SamplerOptions) => ddim({ ...options, timesteps: list }),
  };

  test.each(Object.keys(chains) as (keyof typeof chains)[])(
    '%s: the same states, of which fewer',
    async (name) => {
      const model = createModel({ kind: 'unet', channels: [4, 8], blocks: [0, 1] }, generator);
      const statesOf = async (every: number, eager = false) => {
        const states: { t: number; tPrev: number; nfe: number; xt: number[]; x0Hat: number[] }[] = [];
        const options = { denoiser: model.predict, schedule, generator, shape: [2, 28, 28, 1], every, eager };
        for await (const { xt, x0Hat, ...rest } of chains[name](options)) {
          const [now, end] = [xt, x0Hat].map((x) => Array.from(x.dataSync()));
          states.push({ ...rest, xt: now, x0Hat: end });
        }
        return states;
      };
      const all = await statesOf(1);
      for (const every of [4, 50, 1000]) {
        const expected = all.filter(({ nfe, tPrev }) => nfe % every === 0 || tPrev < 0);
        expect(await statesOf(every)).toEqual(expected);
        const places = ({ t, tPrev, nfe }: (typeof all)[0]) => ({ t, tPrev, nfe });
        expect((await statesOf(every, true)).map(places)).toEqual(expected.map(places));
      }
      model.dispose();
    },
  );
});

test('a sample between training steps is one of the weights of that moment', async () => {
  const run = tinyRun();
  const { state, schedule } = run.options;
  const options = {
    denoiser: state.model.predict,
    schedule,
    generator: createGenerator(3),
    shape: [1, 28, 28, 1],
  };
  const samples: number[][] = [];
  for (const until of [1, 3, 4]) {
    await losses(run, until);
    const [compiled, eager] = [await last(ddpm(options)), await last(ddpm({ ...options, eager: true }))];
    expect(relativeError(compiled, eager)).toBeLessThan(1e-5);
    samples.push(eager);
  }
  expect(relativeError(samples[1], samples[0])).toBeGreaterThan(1e-3);
  run.dispose();
});

test('one compiled run twice gives the same bits', async () => {
  const [first, second] = [tinyRun(), tinyRun()];
  expect(await losses(first)).toEqual(await losses(second));
  expect(numbersOf(first.options.state)).toEqual(numbersOf(second.options.state));
  [first, second].forEach((run) => run.dispose());
});

test('bfloat16 rounds products, never the weights: steps at rate 1e-30 leave them as they are', async () => {
  const run = tinyRun({
    preset: tinyPreset({ training: { precision: 'bfloat16', learningRate: 1e-30, clipNorm: 1 } }),
  });
  const before = numbersOf(run.options.state);
  await losses(run, 2);
  const after = numbersOf(run.options.state);
  for (const [path, weights] of Object.entries(before.weights)) {
    expect(largest(after.weights[path], weights)).toBeLessThan(1e-25);
  }
  expect(after).not.toEqual(before);
  run.dispose();
});

test('bfloat16 learns as much: held-out loss within 2 % after 150 steps, and not the same numbers', async () => {
  const reached: number[] = [];
  for (const precision of ['float32', 'bfloat16'] as const) {
    const preset = tinyPreset({ training: { batchSize: 16, precision } });
    const run = startRun({ preset, dataset: digits(512), seed: 0, steps: 150 });
    await losses(run);
    const { state, schedule } = run.options;
    const common = { schedule, dataset: digits(256), generator: createGenerator(1) };
    reached.push(await validationLoss({ ...common, denoiser: state.model.predict }));
    run.dispose();
  }
  expect(reached[0]).toBeLessThan(0.5);
  expect(Math.abs(reached[1] / reached[0] - 1)).toBeLessThan(0.02);
  expect(reached[1]).not.toBe(reached[0]);
});
