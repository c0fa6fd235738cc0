/** The loop of every sampler: noise, network, weighted sum, again and again. */
import { derived, isPure, repeat, run, type Pass } from '../compile';
import { Denoiser, Schedule, x0Coefficients } from '../diffusion';
import { normalFrom, SEED_SIZE, seedOf, tf } from '../engine';
import { interruptToken } from '../stop';
import { clipBounds, type SamplerOptions, type SamplingState } from './sampler';
import { respace } from './timesteps';

/**
 * One step of a sampler as numbers: `x <- xt xt + eps eps + x0Hat x0Hat + z z`, left-out weights being 0. Every sampler
 * here is such a sum; only the weights tell them apart.
 */
export interface StepWeights {
  xt?: number;
  /** Of the noise that the denoiser sees in xt. */
  eps?: number;
  /** Of the x_0 that xt and eps imply, clipped if asked for. */
  x0Hat?: number;
  /** Of fresh standard normal noise. */
  z?: number;
}

/** Where a chain is: x at the noise level of its next step, and the x_0 that the denoiser saw in the step before. */
type Place = { xt: tf.Tensor; x0Hat: tf.Tensor };

/** Makes some steps of a plan from xt on; the result belongs to the caller. */
type Advance = (xt: tf.Tensor, steps: Planned[]) => Promise<Place>;

/**
 * The loop of every sampler here: noise at first, then one call of the denoiser and one weighted sum for each entry of
 * the list.
 *
 * @param weights of step i of the list's own schedule (see `respace`), counted from the end: the last step is i = 0.
 *   `clipped` says whether x0Hat was clipped, so that it and eps no longer agree.
 */
export async function* chain(
  options: SamplerOptions,
  weights: (schedule: Schedule, i: number, clipped: boolean) => StepWeights,
): AsyncGenerator<SamplingState, void, undefined> {
  const { generator, firstSample = 0, stop = interruptToken, denoiser, eager, every = 1 } = options;
  const shape = [...options.shape];
  const list =
    options.timesteps ?? Array.from({ length: options.schedule.T }, (_, i) => options.schedule.T - 1 - i);
  const schedule = respace(options.schedule, list);
  const bounds = clipBounds(options);
  const plan = list.map((t, done) => {
    const i = list.length - 1 - done;
    const w = weights(schedule, i, bounds !== undefined);
    return { t, numbers: numbersOf(x0Coefficients(schedule, i), w, bounds), noisy: Boolean(w.z) };
  });
  const compiled = isPure(denoiser) && !eager;
  const advance = compiled ? compiledSteps(options, plan) : eagerSteps(options);
  const atOnce = compiled ? every : 1;
  let xt = options.xT?.clone() ?? generator.fork('x_T').normal(shape, { firstSample });
  let x0Hat: tf.Tensor | undefined;
  try {
    for (let done = 0; done < list.length;) {
      if (!compiled) await nextTurn();
      if (stop.stopped) return;
      const steps = plan.slice(done, done + atOnce);
      const after: Place = await advance(xt, steps);
      tf.dispose([xt, x0Hat]);
      ({ xt, x0Hat } = after);
      done += steps.length;
      if (done % every > 0 && done < list.length) continue;
      yield { t: list[done - 1], tPrev: list[done] ?? -1, xt, x0Hat, nfe: done };
    }
  } finally {
    tf.dispose([xt, x0Hat]);
  }
}

/** A step of the list: its t, the numbers of `stepOf`, and whether it adds noise. */
interface Planned {
  t: number;
  numbers: number[];
  noisy: boolean;
}

function eagerSteps({ denoiser, generator, firstSample }: SamplerOptions): Advance {
  const step = stepOf(denoiser);
  return async (xt, [{ t, numbers, noisy }]) =>
    tf.tidy(() => {
      const steps = tf.fill<tf.Rank.R1>([xt.shape[0]], t, 'int32');
      const z = noisy ? generator.fork('z', t).normal(xt.shape, { firstSample }) : undefined;
      return step(xt, steps, tf.tensor1d(numbers), z);
    });
}

/** All in one call, the noise too. */
function compiledSteps(options: SamplerOptions, plan: Planned[]): Advance {
  const { denoiser, generator, firstSample, every = 1 } = options;
  const noisy = plan.some((one) => one.noisy);
  const compiled = derived(denoiser, `sampling steps${noisy ? ' with noise' : ''}`, (fn: Denoiser) => {
    const step = stepOf(fn);
    const pass = ([xt]: tf.Tensor[], { i, given }: Pass): tf.Tensor[] => {
      const [numbers, whole] = given.map((table) => tf.reshape(tf.gather(table, tf.reshape(i, [1])), [-1]));
      const [t, seed] = tf.split(whole, [1, SEED_SIZE]);
      const steps = tf.tile(t as tf.Tensor1D, [xt.shape[0]]);
      const z = noisy ? normalFrom(seed, xt.shape) : undefined;
      const after = step(xt, steps, numbers as tf.Tensor1D, z);
      return [after.xt, after.x0Hat];
    };
    return (xt: tf.Tensor, times: tf.Scalar, numbers: tf.Tensor2D, whole: tf.Tensor2D): Place => {
      const [last, x0Hat] = repeat([xt, xt], pass, { times, given: [numbers, whole] });
      return { xt: last, x0Hat };
    };
  });
  const wholeOf = ({ t }: Planned, shape: number[]): number[] => [
    t,
    ...seedOf(generator.fork('z', t), 'normal', shape, firstSample),
  ];
  return async (xt, steps) => {
    // Tables of one size, however many steps are left, for one recording.
    const rows = Array.from({ length: every }, (_, k) => steps[Math.min(k, steps.length - 1)]);
    const inputs: [tf.Scalar, tf.Tensor2D, tf.Tensor2D] = [
      tf.scalar(steps.length, 'int32'),
      tf.tensor2d(rows.map(({ numbers }) => numbers)),
      tf.tensor2d(
        rows.map((row) => wholeOf(row, xt.shape)),
        [every, 1 + SEED_SIZE],
        'int32',
      ),
    ];
    return run(compiled, [xt, ...inputs], { ...options, freeze: true }).finally(() => tf.dispose(inputs));
  };
}

/** The numbers of one step, in the order in which `stepOf` reads them. */
function numbersOf(
  toX0: { xt: number; eps: number },
  { xt = 0, eps = 0, x0Hat = 0, z = 0 }: StepWeights,
  [low, high]: readonly [number, number] = [-Infinity, Infinity],
): number[] {
  return [toX0.xt, toX0.eps, low, high, xt, eps, x0Hat, z];
}

/** One step on tensors alone, once for all steps and all samplers. */
function stepOf(denoiser: Denoiser) {
  return (xt: tf.Tensor, t: tf.Tensor1D, numbers: tf.Tensor1D, z?: tf.Tensor) => {
    const eps = denoiser(xt, t);
    assertNoise(eps, xt);
    const [ofXt, ofEps, low, high, ...w] = tf.unstack(numbers);
    const raw = tf.add(tf.mul(xt, ofXt), tf.mul(eps, ofEps));
    const x0Hat = tf.maximum(tf.minimum(raw, high), low);
    const terms = [xt, eps, x0Hat, ...(z ? [z] : [])];
    return { xt: tf.addN(terms.map((x, k) => tf.mul(x, w[k]))), x0Hat };
  };
}

/** Throws unless what a denoiser returned is noise for xt. */
function assertNoise(eps: unknown, xt: tf.Tensor): void {
  if (eps instanceof tf.Tensor && String(eps.shape) === String(xt.shape)) return;
  const isPromise = typeof (eps as Promise<unknown> | undefined)?.then === 'function';
  const what =
    eps instanceof tf.Tensor
      ? `a tensor of shape [${eps.shape}]`
      : isPromise
        ? 'a promise (it must not be async)'
        : String(eps);
  throw new Error(
    `denoiser returned ${what} for samples of shape [${xt.shape}]: it must return noise of that shape.`,
  );
}

/** Lets timers, input and output have their turn: nothing else runs while a loop only computes. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
