/** The weights that a training leaves: averaged, exported, named. */
import * as path from 'path';
import { createGenerator, tf } from '../../lib/engine';
import { fromFloat16, readSafetensors, toFloat16 } from '../../lib/io';
import {
  averagedModel,
  exportWeights,
  loadModel,
  readCheckpointInfo,
  saveCheckpoint,
} from '../../lib/training';
import { losses, temporaryFolder, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

const folder = temporaryFolder();
const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());

expectNoLeaks();

describe('weights', () => {
  const predict = (model: { predict: (x: tf.Tensor, t: tf.Tensor1D) => tf.Tensor }): number[] =>
    tf.tidy(() => {
      const x = createGenerator(9).normal([2, 28, 28, 1]) as tf.Tensor4D;
      return values(model.predict(x, tf.tensor1d([0, 15], 'int32')));
    });

  test('that one samples from are the average, in memory and from a training checkpoint', async () => {
    const run = tinyRun();
    await losses(run);
    const { state } = run.options;
    const averaged = averagedModel(state);
    expect([...averaged.parameters.values()].flatMap(values)).toEqual(values(state.ema.packed));
    expect(predict(averaged)).not.toEqual(predict(state.model));
    const file = path.join(folder, 'training.safetensors');
    await saveCheckpoint(file, state, run.info);
    const { model, info } = loadModel(file);
    expect(info).toEqual({ ...run.info, step: 10, kind: 'training' });
    expect(readCheckpointInfo(file)).toEqual(info);
    expect(predict(model)).toEqual(predict(averaged));
    for (const each of [averaged, model, run]) each.dispose();
  });

  test('are exported in half precision: the rounded average, and predictions within that rounding', async () => {
    const run = tinyRun();
    await losses(run);
    const { state } = run.options;
    const file = path.join(folder, 'weights.safetensors');
    await exportWeights(file, state, run.info);
    const { model, info } = loadModel(file);
    expect(info).toEqual({ ...run.info, step: 10, kind: 'weights' });
    const rounded = fromFloat16(toFloat16(Float32Array.from(state.ema.packed.dataSync())));
    expect([...model.parameters.values()].flatMap(values)).toEqual(Array.from(rounded));
    const averaged = averagedModel(state);
    const [exact, half] = [predict(averaged), predict(model)];
    const error = Math.max(...exact.map((x, i) => Math.abs(x - half[i])));
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.01 * Math.max(...exact.map(Math.abs)));
    for (const each of [averaged, model, run]) each.dispose();
  });

  test('lie in the file under the path of their parameter', async () => {
    const run = tinyRun({ steps: 1 });
    await losses(run);
    const { state } = run.options;
    const file = path.join(folder, 'paths.safetensors');
    await saveCheckpoint(file, state, run.info);
    const { tensors, metadata } = readSafetensors(file);
    expect(metadata.format).toBe('tsdiffusion-checkpoint-1');
    const paths = [...state.model.parameters.keys()];
    const expected = ['model', 'ema', 'adam.m', 'adam.v'].flatMap((group) =>
      paths.map((name) => `${group}/${name}`),
    );
    expect([...tensors.keys()].sort()).toEqual(expected.sort());
    for (const [name, variable] of state.model.parameters) {
      const { dtype, shape, data } = tensors.get(`model/${name}`)!;
      expect({ dtype, shape, data: Array.from(data as Float32Array) }).toEqual({
        dtype: 'F32',
        shape: variable.shape,
        data: values(variable),
      });
    }
    run.dispose();
  });
});
