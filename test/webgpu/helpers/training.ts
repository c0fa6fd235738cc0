/** A few steps of a small U-Net and what follows from them, as numbers. */
import { loadMnist, sliceDataset, toPixels } from '../../../lib/datasets';
import { createGenerator, tf } from '../../../lib/engine';
import { presets, type Preset } from '../../../lib/models';
import { sample } from '../../../lib/sampling';
import { loadModel, saveCheckpoint, startRun, train, validationLoss } from '../../../lib/training';

const T = 20;

const preset: Preset = {
  ...presets.small,
  name: 'tiny',
  schedule: { kind: 'cosine', T },
  model: { kind: 'unet', channels: [4, 8], blocks: [0, 1], attention: [1] },
  training: { ...presets.small.training, batchSize: 4, emaDecay: 0.9 },
};

/** Trains, measures, saves to `file`, and samples from what the file holds. */
export async function training(file: string) {
  const before = tf.memory().numTensors;
  const dataset = sliceDataset(loadMnist().train, 'train', 0, 12);
  const run = startRun({ preset, dataset, seed: 1, steps: 5 });
  const { schedule, state } = run.options;
  const tensors = new Set<number>();
  const losses: number[] = [];
  // Three steps in one go each, then two in slices of the batch.
  for (const part of [{ untilStep: 3 }, { sliceSize: 3 }]) {
    for await (const { loss } of train({ ...run.options, ...part })) {
      losses.push(loss);
      tensors.add(tf.memory().numTensors);
    }
  }
  const generator = createGenerator(3);
  const denoiser = state.model.predict;
  const held = await validationLoss({ denoiser, schedule, dataset, generator, count: 4 });
  await saveCheckpoint(file, state, run.info);
  run.dispose();

  const { model } = loadModel(file);
  const images = await sample({
    sampler: 'ddim',
    denoiser: model.predict,
    schedule,
    generator,
    shape: [2, 28, 28, 1],
    // Not from the very top, where a network that knows little is far off, and all values end at the bounds.
    timesteps: [8, 4, 0],
    clipRange: [-4, 4],
  });
  const result = {
    losses,
    held,
    images: Array.from(images.dataSync()),
    pixels: Array.from(toPixels(images)),
    tensors: [...tensors],
  };
  tf.dispose(images);
  model.dispose();
  return { ...result, left: tf.memory().numTensors - before };
}
