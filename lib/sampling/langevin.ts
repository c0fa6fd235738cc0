/** Langevin dynamics: samples of a distribution of which only the score is known. */
import { assertRunOptions, derived, isPure, pure, repeat, run, type RunOptions } from '../compile';
import { assertStep, scoreFromEps, type Denoiser, type Schedule } from '../diffusion';
import { Generator, normalFrom, ready, seedOf, tf } from '../engine';
import { interruptToken, StopToken } from '../stop';
import { nextTurn } from './chain';

/** `grad ln p(x)` of points `[n, dims]` or images, shaped as x; the caller owns it. */
export type Score = (x: tf.Tensor) => tf.Tensor;

/**
 * The score of x_t at one level of noise, from a denoiser: `-eps(x, t) / sqrt(1 - abar_t)`. Pure if the denoiser is.
 *
 * @throws Error if t is no step of the schedule
 * @see Luo 2022 (arXiv 2208.11970), eq. 151; Song and Ermon 2019 (arXiv 1907.05600)
 */
export function scoreOf(o: { denoiser: Denoiser; schedule: Schedule; t: number }): Score {
  const { denoiser, schedule } = o;
  assertStep(schedule, o.t);
  const score: Score = (x) =>
    tf.tidy(() => {
      const t = tf.fill([x.shape[0]], o.t, 'int32') as tf.Tensor1D;
      return scoreFromEps({ schedule, t, eps: denoiser(x, t) });
    });
  return isPure(denoiser) ? pure(score) : score;
}

export interface LangevinOptions extends RunOptions {
  score: Score;
  /** `[n, dims]`, or `[n, height, width, channels]`. */
  shape: readonly number[];
  /** Source of the start and of the noise of each step. */
  generator: Generator;
  /** delta above 0. The smaller, the nearer to the distribution, and the slower. */
  stepSize: number;
  /** How many steps to make. */
  steps: number;
  /** Where to begin, of the given shape; it stays the caller's. N(0, I) by default. */
  x?: tf.Tensor;
  /** Number of the first sample in its series, 0 by default. */
  firstSample?: number;
  /** Steps from one yield to the next, 1 by default; of a pure score in one call. The samples do not depend on it. */
  every?: number;
  /** Looked at before every step (of a pure score: every call). By default the notebook's button ■. */
  stop?: StopToken;
}

/** Where the chain is. The tensor is valid until the next step is asked for; the sampler owns it. */
export interface LangevinState {
  /** Steps made so far. */
  step: number;
  x: tf.Tensor;
}

/**
 * Walks uphill in ln p with just enough noise not to stay there: `x <- x + delta/2 score(x) + sqrt(delta) z`. For small
 * steps and long walks x is a draw from p; what a finite delta does to a Gaussian is in `langevinStationary`.
 *
 * Yields every `every` steps and after the last one. Leaving the loop early frees everything.
 *
 * @throws Error (at the call) if an option is out of range
 * @see Luo 2022 (arXiv 2208.11970), eq. 150 (its step c is delta/2); Welling and Teh 2011; Song and Ermon 2019, eq. 4
 */
export function langevin(options: LangevinOptions): AsyncGenerator<LangevinState, void, undefined> {
  const { shape, stepSize, steps, every = 1, x, firstSample = 0 } = options;
  if (!(stepSize > 0 && stepSize < Infinity)) {
    throw new Error(`stepSize is ${stepSize}: it must be a number above 0.`);
  }
  for (const [name, value, least] of [
    ['steps', steps, 1],
    ['every', every, 1],
    ['firstSample', firstSample, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least) {
      throw new Error(`${name} is ${value}: it must be a whole number of at least ${least}.`);
    }
  }
  if (x && String(x.shape) !== String(shape)) {
    throw new Error(`x has shape [${x.shape}], but shape is [${shape}]: give one start for each sample.`);
  }
  assertRunOptions(options);
  return walk(options);
}

async function* walk(options: LangevinOptions): AsyncGenerator<LangevinState, void, undefined> {
  const { generator, firstSample = 0, steps, every = 1, stop = interruptToken } = options;
  const compiled = isPure(options.score) && !options.eager;
  const advance = compiled ? compiledSteps(options) : eagerStep(options);
  const atOnce = compiled ? every : 1;
  await ready();
  let x = options.x?.clone() ?? generator.fork('x').normal([...options.shape], { firstSample });
  try {
    for (let step = 0; step < steps;) {
      if (!compiled) await nextTurn();
      if (stop.stopped) return;
      const count = Math.min(atOnce, steps - step);
      const next = await advance(x, step, count);
      x.dispose();
      x = next;
      step += count;
      if (step % every === 0 || step === steps) yield { step, x };
    }
  } finally {
    x.dispose();
  }
}

/** Makes `count` steps from number `step` on; the result belongs to the caller. */
type Advance = (x: tf.Tensor, step: number, count: number) => Promise<tf.Tensor>;

/** One step; `numbers` are delta/2 and sqrt(delta). */
const stepOf = (score: Score) => (x: tf.Tensor, numbers: tf.Tensor1D, z: tf.Tensor) => {
  const [half, root] = tf.unstack(numbers);
  return tf.addN([x, tf.mul(score(x), half), tf.mul(z, root)]);
};

const numbersOf = (stepSize: number): tf.Tensor1D => tf.tensor1d([stepSize / 2, Math.sqrt(stepSize)]);

function eagerStep({ score, stepSize, generator, firstSample }: LangevinOptions): Advance {
  const one = stepOf(score);
  return async (x, step) =>
    tf.tidy(() => one(x, numbersOf(stepSize), generator.fork('z', step).normal(x.shape, { firstSample })));
}

function compiledSteps(options: LangevinOptions): Advance {
  const { stepSize, generator, firstSample, every = 1 } = options;
  const many = derived(options.score, 'langevin steps', (score: Score) => {
    const one = stepOf(score);
    return (x: tf.Tensor, times: tf.Scalar, numbers: tf.Tensor1D, seeds: tf.Tensor2D): tf.Tensor =>
      repeat(
        [x],
        ([now], { i, given: [ownNumbers, ownSeeds] }) => {
          const seed = tf.reshape(tf.gather(ownSeeds, tf.reshape(i, [1])), [-1]);
          return [one(now, ownNumbers as tf.Tensor1D, normalFrom(seed as tf.Tensor1D, now.shape))];
        },
        { times, given: [numbers, seeds] },
      )[0];
  });
  return async (x, step, count) => {
    // A table of one size, however many steps are left, for one recording.
    const seeds = Array.from({ length: every }, (_, k) =>
      seedOf(generator.fork('z', step + Math.min(k, count - 1)), 'normal', x.shape, firstSample),
    );
    const inputs: [tf.Scalar, tf.Tensor1D, tf.Tensor2D] = [
      tf.scalar(count, 'int32'),
      numbersOf(stepSize),
      tf.tensor2d(seeds, undefined, 'int32'),
    ];
    return run(many, [x, ...inputs], { ...options, freeze: true }).finally(() => tf.dispose(inputs));
  };
}
