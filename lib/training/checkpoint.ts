/**
 * Checkpoints: one safetensors file each, written atomically, that any safetensors reader can open.
 *
 * | tensor              | in a training checkpoint        | in exported weights            |
 * |---------------------|---------------------------------|--------------------------------|
 * | `model/<path>`      | the parameters                  | their moving average, float16  |
 * | `ema`, `adam.m`, `adam.v` | packed, in the order of `model/` | left out                  |
 *
 * The metadata hold the preset, the seed and the step as JSON, so that a file explains itself. Random numbers need no
 * state of their own: those of step s follow from the seed and s.
 */
import { tf, createGenerator } from '../engine';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../io';
import { createModel, type Model, type Preset } from '../models';
import { assignPacked, unpack } from './packing';
import { createTrainingState, type TrainingState } from './state';

const FORMAT = 'tsdiffusion-checkpoint-1';

/** What a checkpoint says about itself. */
export interface CheckpointInfo {
  preset: Preset;
  seed: number;
  /** Steps done. */
  step: number;
  /** Steps that the run is planned to have. */
  totalSteps: number;
  /** 'training' can be resumed; 'weights' can only be sampled from. */
  kind: 'training' | 'weights';
}

export type RunInfo = Pick<CheckpointInfo, 'preset' | 'seed' | 'totalSteps'>;

function store(tensor: tf.Tensor, dtype: 'F32' | 'F16' = 'F32'): StoredTensor {
  return { dtype, shape: tensor.shape, data: tensor.dataSync() as Float32Array };
}

function write(file: string, tensors: [string, StoredTensor][], info: CheckpointInfo): void {
  writeSafetensors(file, tensors, { format: FORMAT, info: JSON.stringify(info) });
}

/** Saves everything that `resumeTraining` needs to go on to the same numbers. */
export function saveCheckpoint(file: string, state: TrainingState, run: RunInfo): void {
  const parameters = [...state.model.parameters].map(([path, variable]): [string, StoredTensor] => [
    `model/${path}`,
    store(variable),
  ]);
  write(
    file,
    [
      ...parameters,
      ['ema', store(state.ema.packed)],
      ['adam.m', store(state.adam.firstMoment)],
      ['adam.v', store(state.adam.secondMoment)],
    ],
    { ...run, step: state.step, kind: 'training' },
  );
}

/** Saves the averaged weights alone, in half precision: small, for sampling. */
export function exportWeights(file: string, state: TrainingState, run: RunInfo): void {
  const parameters = [...state.model.parameters];
  const pieces = unpack(
    state.ema.packed,
    parameters.map(([, variable]) => variable.shape),
  );
  try {
    write(
      file,
      parameters.map(([path], i) => [`model/${path}`, store(pieces[i], 'F16')]),
      { ...run, step: state.step, kind: 'weights' },
    );
  } finally {
    tf.dispose(pieces);
  }
}

interface Checkpoint {
  info: CheckpointInfo;
  tensors: Map<string, StoredTensor>;
}

function read(file: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(file);
  if (metadata.format !== FORMAT) {
    throw new Error(
      `${file} is no checkpoint of this library (format ${metadata.format ?? 'missing'}, expected ${FORMAT}): name a file that 'npm run train' wrote.`,
    );
  }
  return { info: JSON.parse(metadata.info) as CheckpointInfo, tensors };
}

function tensorOf(file: string, { tensors }: Checkpoint, name: string, shape: number[]): Float32Array {
  const stored = tensors.get(name);
  if (stored === undefined || String(stored.shape) !== String(shape)) {
    throw new Error(
      `${file} has ${stored ? `'${name}' with shape [${stored.shape}]` : `no tensor '${name}'`}, but its preset needs shape [${shape}]: the file was made by another version of the network; train it again.`,
    );
  }
  return stored.data as Float32Array;
}

/** The network of a checkpoint with the given weights for its parameters, or an error that leaves nothing behind. */
function buildModel(file: string, checkpoint: Checkpoint, useEma: boolean): Model {
  const { preset, seed } = checkpoint.info;
  const model = createModel(preset.model, createGenerator(seed).fork('model'));
  try {
    tf.tidy(() => {
      const parameters = [...model.parameters];
      const shapes = parameters.map(([, variable]) => variable.shape);
      const values = useEma
        ? unpack(tf.tensor1d(tensorOf(file, checkpoint, 'ema', [model.parameterCount])), shapes)
        : parameters.map(([path], i) => tf.tensor(tensorOf(file, checkpoint, `model/${path}`, shapes[i]), shapes[i]));
      parameters.forEach(([, variable], i) => variable.assign(values[i]));
    });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * The network of a checkpoint, ready to sample: its averaged weights. The caller disposes the model.
 *
 * @throws when the file is missing, damaged, or no checkpoint.
 */
export function loadModel(file: string): { model: Model; info: CheckpointInfo } {
  const checkpoint = read(file);
  return { model: buildModel(file, checkpoint, checkpoint.info.kind === 'training'), info: checkpoint.info };
}

/**
 * The state of an interrupted run; training on from it gives the numbers that the uninterrupted run would have given
 * (bit for bit on the CPU). The caller disposes the state and its model.
 *
 * @throws when the file is missing, damaged, no checkpoint, or holds weights only.
 */
export function resumeTraining(file: string): { state: TrainingState; info: CheckpointInfo } {
  const checkpoint = read(file);
  const { info } = checkpoint;
  if (info.kind !== 'training') {
    throw new Error(`${file} holds weights only, without the optimiser: it can be sampled from, not resumed.`);
  }
  const model = buildModel(file, checkpoint, false);
  const state = createTrainingState({
    model,
    emaDecay: info.preset.training.emaDecay,
    adam: { clipNorm: info.preset.training.clipNorm },
  });
  const size = [model.parameterCount];
  tf.tidy(() => {
    state.adam.firstMoment.assign(tf.tensor1d(tensorOf(file, checkpoint, 'adam.m', size)));
    state.adam.secondMoment.assign(tf.tensor1d(tensorOf(file, checkpoint, 'adam.v', size)));
    state.ema.packed.assign(tf.tensor1d(tensorOf(file, checkpoint, 'ema', size)));
  });
  state.step = info.step;
  state.adam.step = info.step;
  state.ema.step = info.step;
  return { state, info };
}

/**
 * A second network with the averaged weights of `state`, for sampling while training goes on; the caller disposes it.
 */
export function averagedModel(state: TrainingState): Model {
  const model = createModel(state.model.config, createGenerator(0));
  assignPacked([...model.parameters.values()], state.ema.packed);
  return model;
}

