/** The random numbers of a chain: normal for Gaussian steps, uniform for bits. */
import { integersFrom, normalFrom, seedOf, tf, type Generator } from '../engine';
import type { ReverseModel } from './model';

/** Float32 tells all of these apart. */
const UNIFORMS = 2 ** 24;

/** What `noiseFrom` needs to draw `[rows, dims]` numbers, `[6]`. */
export function noiseSeed({ kind, dims }: ReverseModel, generator: Generator, rows: number): number[] {
  return seedOf(generator, kind === 'gaussian' ? 'normal' : 'integers', [rows, dims]);
}

/** Noise `[rows, dims]` of a model's kind from a seed, within a compiled function too; the caller owns it. */
export function noiseFrom({ kind, dims }: ReverseModel, seed: tf.Tensor, rows: number): tf.Tensor {
  if (kind === 'gaussian') return normalFrom(seed, [rows, dims]);
  return tf.tidy(() => tf.div(tf.cast(integersFrom(seed, [rows, dims], UNIFORMS), 'float32'), UNIFORMS));
}

/** The same from a generator. */
export function noiseOf(model: ReverseModel, generator: Generator, rows: number): tf.Tensor {
  return tf.tidy(() => noiseFrom(model, tf.tensor1d(noiseSeed(model, generator, rows), 'int32'), rows));
}
