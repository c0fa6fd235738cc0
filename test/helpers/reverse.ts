/** Reverse models for tests. */
import { logSnrSchedule, type Schedule } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import {
  binomialReverse,
  flipSchedule,
  gaussianReverse,
  perceptron,
  type BinomialReverseOptions,
  type GaussianReverseOptions,
} from '../../lib/nonequilibrium';
import { randomise } from './gradient';

export const schedule: Schedule = logSnrSchedule({ T: 6, logSnrStart: 5, logSnrEnd: -3 });
export const flips = flipSchedule({ T: 6, rate: 0.3 });
const small = { net: perceptron({ width: 8, depth: 1 }), generator: createGenerator(4) };

/** With random parameters of this size; 0: as it begins. */
export function gaussianModel(options: Partial<GaussianReverseOptions> = {}, size = 0.3) {
  const model = gaussianReverse({ schedule, dims: 2, ...small, ...options });
  if (size > 0) randomise(model.parameters, createGenerator(9), size);
  return model;
}

export function binomialModel(options: Partial<BinomialReverseOptions> = {}, size = 0.3) {
  const model = binomialReverse({ schedule: flips, dims: 4, ...small, ...options });
  if (size > 0) randomise(model.parameters, createGenerator(9), size);
  return model;
}

export const steps = (count: number, t: number): tf.Tensor1D => tf.fill<tf.Rank.R1>([count], t, 'int32');
export const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());
