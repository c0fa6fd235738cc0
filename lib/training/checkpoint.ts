/**
 * Checkpoints: one safetensors file each, written atomically, that any safetensors reader can open.
 *
 * | tensor                         | in a training checkpoint  | in exported weights           |
 * |--------------------------------|---------------------------|-------------------------------|
 * | `model/<path>`                 | the parameters            | their moving average, float16 |
 * | `ema/<path>`                   | their moving average      | left out                      |
 * | `adam.m/<path>`, `adam.v/<path>` | the optimiser's moments | left out                      |
 *
 * Everything is found by the parameter's path, never by its position. The metadata hold the preset, the seed and the
 * step as JSON, so that a file explains itself. Random numbers need no state of their own: those of step s follow from
 * the seed and s.
 */
import { tf, createGenerator } from '../engine';
import type { StoredTensor } from '../io';
import { createModel, type Model } from '../models';
import {
  isWhole,
  readCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type CheckpointInfo,
  type RunInfo,
} from './checkpointFile';
import { assignPacked, pack } from './packing';
import { keepPrevious } from './previous';
import { createTrainingState, type TrainingState } from './state';

type Group = 'model' | 'ema' | 'adam.m' | 'adam.v';

/** A packed vector as one entry a parameter. */
async function entries(
  group: Group,
  packed: tf.Tensor1D,
  { parameters }: Model,
  dtype: 'F32' | 'F16' = 'F32',
): Promise<[string, StoredTensor][]> {
  const values = (await packed.data()) as Float32Array;
  let end = 0;
  return [...parameters].map(([path, { shape, size }]) => {
    const data = values.subarray(end, (end += size));
    return [`${group}/${path}`, { dtype, shape, data }];
  });
}

/**
 * Saves everything that `resumeTraining` needs to go on to the same numbers, as it is at the call. A checkpoint that had
 * this name is kept as `NAME.previous.safetensors`; at every moment at least one of the two is whole.
 *
 * @throws when the file cannot be written; an older checkpoint of that name stays then.
 */
export async function saveCheckpoint(file: string, state: TrainingState, run: RunInfo): Promise<void> {
  const { model, ema, adam, step } = state;
  const weights = pack([...model.parameters.values()]);
  const groups = Promise.all([
    entries('model', weights, model),
    entries('ema', ema.packed, model),
    entries('adam.m', adam.firstMoment, model),
    entries('adam.v', adam.secondMoment, model),
  ]);
  const tensors = (await groups.finally(() => weights.dispose())).flat();
  if (isWhole(file)) keepPrevious(file);
  writeCheckpoint(file, tensors, { ...run, step, kind: 'training' });
}

/**
 * Saves the averaged weights alone, in half precision: small, for sampling.
 *
 * @throws when the file cannot be written.
 */
export async function exportWeights(file: string, state: TrainingState, run: RunInfo): Promise<void> {
  const info: CheckpointInfo = { ...run, step: state.step, kind: 'weights' };
  writeCheckpoint(file, await entries('model', state.ema.packed, state.model, 'F16'), info);
}

/** All entries of a group as one vector, in the order of the model's parameters; the caller owns it. */
function packedGroup({ file, tensors }: Checkpoint, group: Group, model: Model): tf.Tensor1D {
  return tf.tidy(() =>
    pack(
      [...model.parameters].map(([path, { shape }]) => {
        const name = `${group}/${path}`;
        const stored = tensors.get(name);
        if (stored === undefined || String(stored.shape) !== String(shape)) {
          throw new Error(
            `${file} has ${stored ? `'${name}' with shape [${stored.shape}]` : `no tensor '${name}'`}, but its preset needs shape [${shape}]: the file was made by another version of the network; train it again.`,
          );
        }
        return tf.tensor(stored.data as Float32Array, shape, 'float32');
      }),
    ),
  );
}

/** Loads the averaged or the last weights into a network like the checkpoint's, or leaves nothing behind. */
function buildModel(checkpoint: Checkpoint, group: 'ema' | 'model'): Model {
  const { preset, seed } = checkpoint.info;
  let model: Model;
  try {
    model = createModel(preset.model, createGenerator(seed).fork('model'));
  } catch (error) {
    throw new Error(
      `${checkpoint.file} cannot be used, its network cannot be built: ${(error as Error).message}`,
    );
  }
  try {
    tf.tidy(() => assignPacked([...model.parameters.values()], packedGroup(checkpoint, group, model)));
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * What a checkpoint says about itself, without building its network.
 *
 * @throws when the file is missing, damaged, or no checkpoint.
 */
export function readCheckpointInfo(file: string): CheckpointInfo {
  return readCheckpoint(file).info;
}

/**
 * The network of a checkpoint, ready to sample: its averaged weights. The caller disposes the model.
 *
 * @throws when the file is missing, damaged, or no checkpoint.
 */
export function loadModel(file: string): { model: Model; info: CheckpointInfo } {
  const checkpoint = readCheckpoint(file);
  const { info } = checkpoint;
  return { model: buildModel(checkpoint, info.kind === 'training' ? 'ema' : 'model'), info };
}

/**
 * The state of an interrupted run; training on from it gives the numbers that the uninterrupted run would have given
 * (bit for bit on the CPU). The caller disposes the state and its model.
 *
 * @throws when the file is missing, damaged, no checkpoint, or holds weights only.
 */
export function resumeTraining(file: string): { state: TrainingState; info: CheckpointInfo } {
  const checkpoint = readCheckpoint(file);
  const { info } = checkpoint;
  if (info.kind !== 'training') {
    throw new Error(
      `${file} holds weights only, without the optimiser: it can be sampled from, not resumed.`,
    );
  }
  const model = buildModel(checkpoint, 'model');
  let state: TrainingState | undefined;
  try {
    const { emaDecay, clipNorm } = info.preset.training;
    state = createTrainingState({ model, emaDecay, adam: { clipNorm } });
    const { adam, ema } = state;
    tf.tidy(() => {
      adam.firstMoment.assign(packedGroup(checkpoint, 'adam.m', model));
      adam.secondMoment.assign(packedGroup(checkpoint, 'adam.v', model));
      ema.packed.assign(packedGroup(checkpoint, 'ema', model));
    });
    state.step = adam.step = ema.step = info.step;
    return { state, info };
  } catch (error) {
    state?.dispose();
    model.dispose();
    throw error;
  }
}

/**
 * A second network with the averaged weights of `state`, for sampling while training goes on; the caller disposes it.
 */
export function averagedModel(state: TrainingState): Model {
  const model = createModel(state.model.config, createGenerator(0));
  assignPacked([...model.parameters.values()], state.ema.packed);
  return model;
}
