/** Small chains for tests of the samplers: a schedule of 4 steps, denoisers in one line, states as numbers. */
import { Generator, createGenerator, tf } from '../../lib/engine';
import { Denoiser, scheduleFromBetas } from '../../lib/diffusion';
import { DdimOptions, SampleOptions, Sampler, sample } from '../../lib/sampling';

export const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
export const values = (x: tf.Tensor) => Array.from(x.dataSync());

/** A denoiser that works on each number alone, so that nothing can leak between the images of a batch. */
export const elementwise: Denoiser = (xt, t) =>
  xt
    .mul(0.8)
    .add(t.toFloat().mul(0.01).reshape([-1, 1, 1, 1]))
    .sin();
/** A denoiser that always finds the same noise. */
export const constant =
  (eps: number): Denoiser =>
  (xt) =>
    tf.fill(xt.shape, eps);

/** Options for two small images. */
export const base = (): DdimOptions => ({
  denoiser: elementwise,
  schedule: toy,
  shape: [2, 3, 2, 1],
  generator: createGenerator(7),
});

/** A generator whose normal numbers are all one value for each stream: x_T as given, t for step t. Notes who was asked. */
export function scripted(xT: number, asked: string[] = []): Generator {
  const at = (path: (string | number)[]): Generator => ({
    ...createGenerator(0),
    key: [0, 0],
    fork: (...more) => at([...path, ...more]),
    normal: (shape, options) => {
      asked.push([...path, options?.firstSample ?? 0].join(' '));
      return tf.fill(shape, path[0] === 'z' ? Number(path[1]) : xT);
    },
  });
  return at([]);
}

export type Trace = { t: number; tPrev: number; xt: number[]; x0Hat: number[]; nfe: number }[];

/** All states of a chain. */
export async function trace<O extends DdimOptions>(sampler: Sampler<O>, options: O): Promise<Trace> {
  const states: Trace = [];
  for await (const { xt, x0Hat, ...rest } of sampler(options))
    states.push({ ...rest, xt: values(xt), x0Hat: values(x0Hat) });
  return states;
}

/** What `sample` returns. */
export async function numbers(options: SampleOptions): Promise<number[]> {
  const result = await sample(options);
  const found = values(result);
  result.dispose();
  return found;
}

export const largestDifference = (a: number[], b: number[]) =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i])));
