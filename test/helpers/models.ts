/** Inputs for networks and layers, and networks and layers for one test. */
import { createGenerator, tf } from '../../lib/engine';
import type { Model } from '../../lib/models';
import { Parameters, type Layer } from '../../lib/nn';

export const random = createGenerator(5);
export const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());
export const farthest = (x: number[], y: number[]): number =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i])));
export const steps = (...t: number[]): tf.Tensor1D => tf.tensor1d(t, 'int32');
export const images = (batch: number, size: number, channels = 1): tf.Tensor4D =>
  random.fork('images').normal([batch, size, size, channels]) as tf.Tensor4D;

/** Disposes of the model, and of all tensors that are made meanwhile. */
export function withModel(model: Model, use: (model: Model) => void): void {
  try {
    tf.tidy(() => use(model));
  } finally {
    model.dispose();
  }
}

/** Builds a layer, hands it over, and frees its parameters. */
export function withLayer(build: (p: Parameters) => Layer, use: (layer: Layer, p: Parameters) => void): void {
  const parameters = Parameters.create(random.fork('init'));
  try {
    use(build(parameters), parameters);
  } finally {
    parameters.dispose();
  }
}
