/** Ancestral sampling from gamma: any number of steps, for any schedule. */
import { run, type RunOptions } from '../compile';
import { ready, tf, type Generator } from '../engine';
import { nextTurn } from '../sampling/chain';
import { interruptToken, type StopToken } from '../stop';
import { toLevels } from './levelDecoder';
import { ancestralCoefficients } from './levels';
import { gammaValues, type GammaSchedule } from './schedule';
import { denoised, type GammaDenoiser } from './tensors';

/** `eager` and `precision` say how the denoiser is run, if it is declared `pure`. */
export interface AncestralOptions extends RunOptions {
  denoiser: GammaDenoiser;
  schedule: GammaSchedule;
  /** Steps from t = 1 to t = 0, of equal length. */
  steps: number;
  /** What to make: n images `[n, 28, 28, 1]`, or n points `[n, dims]`. */
  shape: readonly number[];
  /** Source of z_1 and of the noise of each step. */
  generator: Generator;
  /** Number of the first sample in its series, 0 by default. */
  firstSample?: number;
  /** Looked at before every step. Default: the button ■. */
  stop?: StopToken;
}

/** Where the sampler is after one step. The tensors are valid until the next step is asked for; the sampler owns them. */
export interface AncestralState {
  /** The time that the step came from, and the one that it went to. */
  t: number;
  s: number;
  gammaT: number;
  gammaS: number;
  /** z at the time s. */
  zt: tf.Tensor;
  /** The sample that the denoiser saw in z at the time t. */
  x0Hat: tf.Tensor;
  /** Calls of the denoiser so far. */
  nfe: number;
}

/** Throws unless the options can be sampled with. */
function checkOptions({ steps, shape, firstSample = 0 }: AncestralOptions): void {
  if (!(Number.isInteger(steps) && steps >= 1)) {
    throw new Error(`steps is ${steps}: use a whole number of at least 1.`);
  }
  if (
    (shape.length !== 2 && shape.length !== 4) ||
    !shape.every((size) => Number.isInteger(size) && size >= 1)
  ) {
    throw new Error(`shape is [${shape}]: give [count, height, width, channels] or [count, dims].`);
  }
  if (!(Number.isInteger(firstSample) && firstSample >= 0)) {
    throw new Error(`firstSample is ${firstSample}: it must be a whole number of at least 0.`);
  }
}

/**
 * From noise at t = 1 to z_0, which still has the noise of gamma(0): `toLevels` takes the last step. The steps need not be
 * those of the training, nor their number.
 *
 * @throws Error if an option does not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), appendix A
 */
export function ancestral(options: AncestralOptions): AsyncGenerator<AncestralState, void, undefined> {
  checkOptions(options);
  return walk(options);
}

async function* walk(options: AncestralOptions): AsyncGenerator<AncestralState, void, undefined> {
  const { denoiser, schedule, steps, generator, firstSample = 0, stop = interruptToken } = options;
  const shape = [...options.shape];
  const times = Array.from({ length: steps + 1 }, (_, i) => i / steps);
  await ready();
  const { gamma } = await gammaValues(schedule, times);
  let zt = generator.fork('z_1').normal(shape, { firstSample });
  let x0Hat: tf.Tensor | undefined;
  try {
    for (let i = steps; i > 0; i--) {
      await nextTurn();
      if (stop.stopped) return;
      const [gammaS, gammaT] = [gamma[i - 1], gamma[i]];
      const level = tf.fill([shape[0]], gammaT) as tf.Tensor1D;
      const epsHat = await run(denoiser, [zt, level], options).catch((error) => {
        level.dispose();
        throw error;
      });
      const c = ancestralCoefficients({ gammaS, gammaT });
      const noise = generator.fork('z', i).normal(shape, { firstSample });
      const before = [zt, x0Hat];
      [zt, x0Hat] = tf.tidy(() => [
        tf.addN([tf.mul(zt, c.zt), tf.mul(epsHat, c.eps), tf.mul(noise, c.z)]),
        denoised({ zt, gamma: level, eps: epsHat }),
      ]);
      tf.dispose([...before, level, epsHat, noise]);
      yield { t: times[i], s: times[i - 1], gammaT, gammaS, zt, x0Hat, nfe: steps - i + 1 };
    }
  } finally {
    tf.dispose([zt, x0Hat]);
  }
}

/**
 * The whole chain, and the step from z_0 to values of levels.
 *
 * @param o.decode 'mostProbable' (the default), or 'draw' from `p(x | z_0)`
 * @returns values of levels in [-1, 1], of the given shape; the caller owns them. Undefined if it was stopped
 * @throws Error if an option does not fit
 */
export async function sampleVdm(
  o: AncestralOptions & { decode?: 'mostProbable' | 'draw' },
): Promise<tf.Tensor | undefined> {
  const { decode = 'mostProbable', firstSample } = o;
  if (decode !== 'mostProbable' && decode !== 'draw') {
    throw new Error(`decode is ${JSON.stringify(decode)}: use 'mostProbable' or 'draw'.`);
  }
  for await (const { s, zt, gammaS } of ancestral(o)) {
    if (s > 0) continue;
    return tf.tidy(() => {
      if (decode === 'mostProbable') return toLevels({ z: zt, gamma: gammaS });
      const u = o.generator.fork('level').uniform([...zt.shape, 256], { firstSample });
      return toLevels({ z: zt, gamma: gammaS, gumbel: tf.neg(tf.log(tf.neg(tf.log(u)))) });
    });
  }
  return undefined;
}
