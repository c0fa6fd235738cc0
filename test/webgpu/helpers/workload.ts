/** Everything that the library computes on tensors, once: what it asks of an engine. */
import { gaussianMixture, loadMnist, ringMixture, sliceDataset } from '../../../lib/datasets';
import * as d from '../../../lib/diffusion';
import { sampledTerms } from '../../../lib/elbo';
import { createGenerator, tf } from '../../../lib/engine';
import { decoderLogLikelihood, flowLikelihood, variationalBound } from '../../../lib/likelihood';
import { presets, type ModelConfig, type Preset } from '../../../lib/models';
import { relu } from '../../../lib/nn';
import { mixtureDenoiser } from '../../../lib/oracle';
import { ddim, ddpm, sample, timesteps } from '../../../lib/sampling';
import { averagedModel, startRun, train, validationLoss } from '../../../lib/training';

const T = 6;

/** A short run of a network: training with clipping and averaging, validation, both samplers. */
async function runOf(model: ModelConfig): Promise<void> {
  const points = model.kind === 'mlp';
  const generator = createGenerator(5);
  const dataset = points
    ? gaussianMixture({ count: 4, generator })
    : sliceDataset(loadMnist().train, 'train', 0, 4);
  const preset: Preset = {
    ...presets.small,
    schedule: { kind: 'cosine', T },
    model,
    training: { ...presets.small.training, batchSize: 2, sliceSize: 1 },
  };
  const run = startRun({ preset, dataset, seed: 1, steps: 1 });
  const { schedule, state } = run.options;
  for await (const step of train(run.options)) if (!Number.isFinite(step.loss)) throw new Error('no loss');
  const averaged = averagedModel(state);
  const denoiser = averaged.predict;
  await validationLoss({ denoiser, schedule, dataset, generator, count: 2 });
  const common = {
    denoiser,
    schedule,
    generator,
    shape: points ? [2, 2] : [2, 28, 28, 1],
    clipDenoised: true,
    clipRange: [-1, 1] as const,
    timesteps: timesteps({ T, steps: 2 }),
  };
  for (const sampler of [ddpm, ddim]) (await sample({ ...common, sampler })).dispose();
  averaged.dispose();
  run.dispose();
}

/** The formulas, and what else no network contains. */
async function formulas(): Promise<void> {
  const schedule = d.createSchedule({ kind: 'cosine', T });
  const generator = createGenerator(0);
  tf.tidy(() => {
    const t = tf.tensor1d([1, 2, 3], 'int32');
    const [xt, x0, z] = ['a', 'b', 'c'].map((name) => generator.fork(name).normal([3, 2]));
    for (const to of [d.predictX0, d.vFromEps, d.scoreFromEps]) to({ schedule, xt, t, eps: z });
    for (const to of [d.epsFromV, d.x0FromV]) to({ schedule, xt, t, v: z });
    d.epsFromScore({ schedule, t, score: z });
    d.predictEps({ schedule, xt, t, x0 });
    d.posteriorSample({ schedule, x0, xt, t, z });
    generator.uniform([3, 2], { min: -1, max: 1 });
    tf.grad((x) => relu(x))(xt);
  });
  const x0 = generator.normal([3, 2]) as tf.Tensor2D;
  const denoiser = mixtureDenoiser({ mixture: ringMixture, schedule });
  await sampledTerms({ denoiser, schedule, x0, generator });
  const options = { denoiser, schedule, x0, generator };
  await variationalBound({ ...options, steps: { draws: 2 } });
  for (const probes of ['exact', 1] as const) await flowLikelihood({ ...options, probes });
  x0.dispose();
  const images = tf.fill([2, 2, 2, 1], 1 / 255);
  const nothing: d.Denoiser = (xt) => tf.mul(xt, 0.1);
  for (const evaluate of [variationalBound, flowLikelihood])
    await evaluate({ ...options, denoiser: nothing, x0: images });
  tf.tidy(() => tf.grad((mean) => decoderLogLikelihood({ x0: images, mean, std: 0.1 }))(images));
  images.dispose();
}

/** Runs it all; a small `lecture2025` among it. */
export async function workload(): Promise<void> {
  await runOf({ kind: 'unet', channels: [4, 8], blocks: [0, 1], attention: [1] });
  await runOf({ kind: 'lecture2025', T, width: 2 });
  await runOf({ kind: 'mlp', dims: 2, width: 8 });
  await formulas();
}
