/** How well a diffusion model compresses: the variational bound on -log p(x_0) in bits per dimension, term by term. */
import { assertRunOptions } from '../compile';
import { ready } from '../engine';
import { interruptToken } from '../stop';
import { assertStd } from './decoder';
import { createLossHistory, drawSteps, stepProbabilities, type LossHistory } from './importance';
import { assertGreyLevels, samplesOf, type EvaluationOptions, type Samples } from './samples';
import { Moments, meanBits, type BitsPerDim } from './statistics';
import { lossesAt, priorNats, type TermOptions } from './terms';

export interface BoundOptions extends EvaluationOptions {
  /** Of the steps back: beta_t, or the posterior's; 'beta' by default. */
  variance?: 'beta' | 'posterior';
  /**
   * What p(x_0 | x_1) is: a probability of grey levels (images, by default), or a density (points, by default), whose
   * bits can be negative.
   */
  decoder?: 'greyLevels' | 'density';
  /**
   * Standard deviation of p(x_0 | x_1), `sqrt(beta_0)` by default as everywhere in `elbo`. The choice of Ho et al. for
   * small variances is `sqrt(posteriorVariance[1])`.
   */
  decoderStd?: number;
  /** Clip x0Hat to `clipRange`, as samplers do; false by default. */
  clipDenoised?: boolean;
  /** Smallest and largest value of the data; the dataset's range, or [-1, 1] for images, by default. */
  clipRange?: readonly [number, number];
  /**
   * Which of the steps 1..T-1 each sample sees: all, each with noise of its own (the default), or `draws` of them, drawn
   * by weights. These are one number for each of the T steps (that of 0 is not used), or a history of losses, which is
   * asked anew for each batch and takes its losses in; an empty history by default. L_0 and L_T are always computed.
   */
  steps?: 'all' | { draws: number; weights?: ArrayLike<number> | LossHistory };
}

export interface VariationalBound extends BitsPerDim {
  /** `L_0 = -log p(x_0 | x_1)`, of our step t = 0. */
  reconstruction: BitsPerDim;
  /** `L_1 + ... + L_{T-1}`. */
  steps: BitsPerDim;
  /** `L_T = KL(q(x_T | x_0) || N(0, I))`. */
  prior: BitsPerDim;
  /** L_t of t = 1..T-1 by itself, NaN for a step that was never drawn; `draws` counts its samples. */
  perStep: ({ t: number; draws: number } & BitsPerDim)[];
  /** The bound of each sample, in bits per dimension. */
  values: Float64Array;
  /** Values of a sample: height times width times channels, or the coordinates of a point. */
  dims: number;
  count: number;
  /** Calls of the denoiser for each sample. */
  nfe: number;
}

/**
 * The variational bound on held-out samples, `-log2 p(x_0) / dims <= L_0 + L_1 + ... + L_{T-1} + L_T`, in bits per
 * dimension with standard errors. Without bias, whichever steps are looked at.
 *
 * L_0 has a floor that no denoiser gets under: the first step of linear betas adds noise with a std of 0.01, against the
 * 0.004 to the edge of a grey level.
 *
 * @returns undefined if it was stopped
 * @throws Error if an option does not fit, or images hold something else than grey levels
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 5 and 13; Nichol and Dhariwal 2021 (arXiv 2102.09672), eqs. 4-7 and 18
 */
export async function variationalBound(options: BoundOptions): Promise<VariationalBound | undefined> {
  const { schedule, generator, stop = interruptToken, onProgress, steps = 'all' } = options;
  const { T } = schedule;
  const samples = samplesOf(options);
  const terms = termOptionsOf(options, samples);
  const plan = planOf(steps, T);
  const perStep = Array.from({ length: T }, () => new Moments());
  const nats = {
    reconstruction: new Float64Array(samples.count),
    steps: new Float64Array(samples.count),
    prior: new Float64Array(samples.count),
  };
  const nfe = 1 + plan.calls;
  let calls = 0;
  await ready();
  for (const { first, size } of samples.parts) {
    const x0 = samples.batch({ first, size });
    try {
      if (terms.decoder === 'greyLevels') await assertGreyLevels(x0);
      nats.prior.set(await priorNats(schedule, x0), first);
      const probabilities = plan.probabilities();
      for (let call = 0; call < nfe; call++) {
        await new Promise(setImmediate);
        if (stop.stopped) return undefined;
        const own = generator.fork('call', call);
        const t =
          call === 0 || !probabilities
            ? new Int32Array(size).fill(call)
            : await drawSteps(probabilities, { generator: own.fork('t'), first, size });
        const eps = own.fork('eps').normal(x0.shape, { firstSample: first });
        const losses = await lossesAt(terms, { x0, eps, steps: t }).finally(() => eps.dispose());
        if (call === 0) nats.reconstruction.set(losses, first);
        else {
          losses.forEach((loss, i) => {
            perStep[t[i]].add(loss);
            nats.steps[first + i] += probabilities ? loss / (probabilities[t[i]] * plan.calls) : loss;
          });
          plan.history?.update(t, losses);
        }
        onProgress?.(++calls, nfe * samples.parts.length);
      }
    } finally {
      x0.dispose();
    }
  }
  const { dims, count } = samples;
  const total = nats.reconstruction.map((value, i) => value + nats.steps[i] + nats.prior[i]);
  return {
    ...meanBits(total, dims),
    reconstruction: meanBits(nats.reconstruction, dims),
    steps: meanBits(nats.steps, dims),
    prior: meanBits(nats.prior, dims),
    perStep: perStep.map((one, t) => ({ t, draws: one.count, ...one.bits(dims) })).slice(1),
    values: total.map((value) => value / (dims * Math.LN2)),
    dims,
    count,
    nfe,
  };
}

/** Steps above 0 that a sample sees, and where they are drawn the probabilities for the next batch. */
interface StepPlan {
  calls: number;
  probabilities: () => Float64Array | undefined;
  history?: LossHistory;
}

function planOf(steps: NonNullable<BoundOptions['steps']>, T: number): StepPlan {
  if (steps === 'all' || T === 1) return { calls: T - 1, probabilities: () => undefined };
  const { draws, weights = createLossHistory({ T }) } = steps;
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new Error(`draws is ${draws}: use a whole number of at least 1.`);
  }
  if (!('update' in weights)) {
    const fixed = stepProbabilities(weights, T);
    return { calls: draws, probabilities: () => fixed };
  }
  if (weights.T !== T) {
    throw new Error(`The history has T = ${weights.T}, but the schedule has T = ${T}: they must be equal.`);
  }
  return { calls: draws, probabilities: () => stepProbabilities(weights.weights(), T), history: weights };
}

function termOptionsOf(options: BoundOptions, { isImages }: Samples): TermOptions {
  const { schedule, dataset, variance = 'beta', clipDenoised = false } = options;
  const { decoder = isImages ? 'greyLevels' : 'density', decoderStd = Math.sqrt(schedule.betas[0]) } =
    options;
  const clipRange = options.clipRange ?? dataset?.range ?? (isImages ? ([-1, 1] as const) : undefined);
  if (variance !== 'beta' && variance !== 'posterior') {
    throw new Error(`variance is ${JSON.stringify(variance)}: use 'beta' or 'posterior'.`);
  }
  if (decoder !== 'greyLevels' && decoder !== 'density') {
    throw new Error(`decoder is ${JSON.stringify(decoder)}: use 'greyLevels' or 'density'.`);
  }
  assertStd('decoderStd', decoderStd);
  assertRunOptions(options);
  if (clipDenoised && !clipRange) {
    throw new Error(
      'clipDenoised needs clipRange for points: give the smallest and the largest value of the data.',
    );
  }
  if (clipRange && !(clipRange[0] < clipRange[1])) {
    throw new Error(`clipRange is [${clipRange}]: give the smallest and the largest value of the data.`);
  }
  return { ...options, variance, decoder, decoderStd, clipRange: clipDenoised ? clipRange : undefined };
}
