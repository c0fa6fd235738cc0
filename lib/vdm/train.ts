/** Training a variational diffusion model as a generator: the caller decides what to print, plot or save between steps. */
import { batchesFrom, toBatch, type Dataset } from '../datasets';
import { ready, tf, type Generator } from '../engine';
import { bitsPerDimOf } from '../likelihood';
import { interruptToken, type StopToken } from '../stop';
import type { LearningRate } from '../training';
import { assertTimeDraws, drawsFor, type TimeDraws } from './draws';
import { checkLossOptions } from './loss';
import type { VdmState } from './state';
import { compileStep, numbersOf, type InteriorObjective, type StepOptions } from './step';

export interface VdmTrainOptions extends Partial<StepOptions> {
  /** Network, schedule and optimisers; goes on from `state.step`. */
  state: VdmState;
  /** Values of 256 levels in [-1, 1], such as images or `quantised` points. */
  dataset: Dataset;
  /** Everything random in step s depends on this, on s and on nothing else. */
  generator: Generator;
  /** Stop when `state.step` reaches this. */
  untilStep: number;
  /** Samples a step, default 128. */
  batchSize?: number;
  /** Of the network: a constant or a function of the step, default 1e-3. */
  learningRate?: number | LearningRate;
  /**
   * Of the schedule's variables, default 1e-2: ends are nats, weights of a monotone network logarithms. The variance is a
   * noisy guide: let the rate fall to 0 (`warmupCosine`).
   */
  scheduleRate?: number | LearningRate;
  /** Default 'antithetic'. */
  times?: TimeDraws;
  /**
   * What moves the interior of gamma: 'variance' (the default in continuous time), 'bound' (the default with T steps), or
   * 'none'. The ends always follow the bound.
   */
  interior?: InteriorObjective;
  /** Ends the loop between two steps. Default: the button ■. */
  stop?: StopToken;
}

export interface VdmTrainStep {
  /** Steps done, this one included. */
  step: number;
  /** Passes over the data begun, from 0. */
  epoch: number;
  /** The bound of the batch, nats a sample, before its update; and its terms. */
  loss: number;
  prior: number;
  reconstruction: number;
  diffusion: number;
  /** Mean square of the diffusion losses of single samples, nats squared. */
  diffusionSquare: number;
  /** The bound in bits per dimension. */
  bitsPerDim: number;
}

function stepOptionsOf({ T, decoder = 'levels', weight, interior, state }: VdmTrainOptions): StepOptions {
  const chosen = interior ?? (T === undefined ? 'variance' : 'bound');
  if (chosen !== 'variance' && chosen !== 'bound' && chosen !== 'none') {
    throw new Error(`interior is ${JSON.stringify(interior)}: use 'variance', 'bound' or 'none'.`);
  }
  if (chosen === 'variance' && T !== undefined) {
    throw new Error(`interior is 'variance' with T = ${T}: the bound of T steps depends on it, use 'bound'.`);
  }
  checkLossOptions({ T, decoder, schedule: state.schedule, denoiser: state.network.predict });
  return { T, decoder, weight, interior: chosen };
}

/**
 * Trains network and schedule on the bound, and yields after every step. Each step is one compiled function; breaking out of
 * the loop is safe, and a later call goes on from `state`.
 *
 * @throws Error if an option does not fit, or the loss is no finite number (the weights are lost then: lower a rate)
 * @see Kingma et al. 2021 (arXiv 2107.00630), sections 4 and 5, appendix I
 */
export async function* trainVdm(options: VdmTrainOptions): AsyncGenerator<VdmTrainStep, void, undefined> {
  const { state, dataset, generator, untilStep, batchSize = 128 } = options;
  const { learningRate = 1e-3, scheduleRate = 1e-2, times = 'antithetic', stop = interruptToken } = options;
  const own = stepOptionsOf(options);
  assertTimeDraws(times);
  const rest = batchesFrom(dataset, { batchSize, generator, step: state.step });
  const step = stepOf(state, own);
  const at = (rate: number | LearningRate): number => (typeof rate === 'number' ? rate : rate(state.step));
  await ready();
  for (const { epoch, indices } of rest) {
    if (state.step >= untilStep || stop.stopped) return;
    const x0 = toBatch(dataset, indices);
    const draws = await drawsFor({ generator: generator.fork('step', state.step), shape: x0.shape, times });
    const numbers = numbersOf(state, at(learningRate), at(scheduleRate));
    const inputs = [x0, draws.times, draws.eps, draws.eps0, numbers] as const;
    const means = await step.async(...inputs).finally(() => tf.dispose([...inputs]));
    for (const each of [state.adam, state.scheduleAdam, state.ema]) if (each) each.step += 1;
    state.step += 1;
    const [prior, reconstruction, diffusion, diffusionSquare] = await means.data();
    means.dispose();
    const loss = prior + reconstruction + diffusion;
    if (!Number.isFinite(loss)) {
      throw new Error(
        `The loss is ${loss} at step ${state.step}: training diverged; use a smaller learningRate or scheduleRate.`,
      );
    }
    const bitsPerDim = bitsPerDimOf(loss, x0.size / x0.shape[0]);
    const terms = { prior, reconstruction, diffusion, diffusionSquare };
    yield { step: state.step, epoch, loss, ...terms, bitsPerDim };
  }
}

/** The compiled step for these options, kept in the state. A weight is told apart by being the same function. */
function stepOf(state: VdmState, options: StepOptions) {
  const { T, decoder, interior, weight } = options;
  const key = { T, decoder, interior, weight };
  const known = state.compiled.find(
    ({ of }) => JSON.stringify(of) === JSON.stringify(key) && of.weight === weight,
  );
  if (known) return known.step;
  const step = compileStep(state, options);
  state.compiled.push({ of: key, step });
  return step;
}
