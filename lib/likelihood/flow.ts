/**
 * The log-likelihood by the probability-flow ODE: the noise is carried along a smooth path whose change of volume is
 * known, so that -log p(x_0) is no bound.
 *
 * In continuous time the variance-preserving process is `dx = -beta(s)/2 x ds + sqrt(beta(s)) dw`, and its flow
 * `dx/ds = -beta(s)/2 (x + score)`, score = -eps / sqrt(1 - abar). How beta(s) runs between the steps of a schedule does
 * not matter: in `y = x / sqrt(abar)` and the noise per signal `rho = sqrt((1 - abar) / abar)` the flow is
 *
 *     dy / d rho = eps(sqrt(abar) y, t),   d ln p(y) / d rho = -sqrt(abar) tr(d eps / d x)
 *
 * and knows of time only through rho. Its nodes are steps of the schedule, so nothing is interpolated: a denoiser is asked
 * only for whole t, as it was trained.
 */
import { assertRunOptions, derived, run } from '../compile';
import type { Schedule } from '../diffusion';
import { ready, tf, type Generator } from '../engine';
import { interruptToken } from '../stop';
import { dequantise, type Dequantisation } from './dequantise';
import { assertGreyLevels, samplesOf, type EvaluationOptions } from './samples';
import { meanBits, type BitsPerDim } from './statistics';
import { epsAndTrace, exactProbes, randomProbes } from './trace';

export interface FlowOptions extends EvaluationOptions {
  /** Steps of the solver, spread evenly over t = 0..T-1; all T - 1 by default. */
  solverSteps?: number;
  /**
   * Random directions in which the trace is measured, the same all along a path; 'exact' measures in every direction, at
   * `dims` times the cost. 'exact' by default for points, 1 for images.
   */
  probes?: 'exact' | number;
  /**
   * How grey levels become a density, which says nothing about the probability of exact levels: with the noise of the first
   * step, as the model has seen them ('noise', the default for images), or spread evenly over their bins ('uniform').
   * 'none', the default for points: the density itself.
   */
  dequantise?: Dequantisation;
}

export interface FlowLikelihood extends BitsPerDim {
  /** `ln p` of each sample as a density in the units of x_0, nats; of dequantised images where the noise has put them. */
  logDensities: Float64Array;
  /** `-log2 P / dims` of each sample: of a grey level if dequantised (an upper bound in the mean), else of the density. */
  values: Float64Array;
  /** Values of a sample: height times width times channels, or the coordinates of a point. */
  dims: number;
  count: number;
  /** Calls of the denoiser for each sample; each with one vector-Jacobian product for each direction. */
  nfe: number;
}

/**
 * The log-likelihood of samples under the model's flow, nats and bits per dimension, by Heun's method.
 *
 * The density is that of the flow at the first step's noise level, t = 0: of data plus noise of std
 * `rho_0 = sqrt((1 - abar_0) / abar_0)`. Images get such noise themselves, and the bits are those of their grey levels (see
 * `dequantise`); points are taken as they are. At the other end p(x_T) is N(0, I). With random directions each `ln p` is without bias,
 * up to the error of the solver, which falls with the square of the number of steps.
 *
 * @returns undefined if it was stopped
 * @throws Error if an option does not fit
 * @see Song et al. 2021 (arXiv 2011.13456), eqs. 13 and 39, appendix D.2
 */
export async function flowLikelihood(options: FlowOptions): Promise<FlowLikelihood | undefined> {
  const { denoiser, schedule, generator, stop = interruptToken, eager, precision, onProgress } = options;
  const samples = samplesOf(options);
  const { dims, count, shape, isImages } = samples;
  const { probes = isImages ? 1 : 'exact', dequantise: kind = isImages ? 'noise' : 'none' } = options;
  if (probes !== 'exact' && !(Number.isInteger(probes) && probes >= 1)) {
    throw new Error(`probes is ${probes}: use 'exact' or a whole number of at least 1.`);
  }
  assertRunOptions(options);
  if (!['noise', 'uniform', 'none'].includes(kind)) {
    throw new Error(`dequantise is '${kind}': use 'noise', 'uniform' or 'none'.`);
  }
  const nodes = nodesOf(schedule, options.solverSteps);
  const traced = derived(denoiser, 'eps and trace', epsAndTrace);
  const logDensities = new Float64Array(count);
  const nats = new Float64Array(count);
  const nfe = 2 * (nodes.length - 1);
  let calls = 0;
  await ready();
  for (const { first, size } of samples.parts) {
    const own = (name: string): Generator => generator.fork(name);
    let y = samples.batch({ first, size });
    const directions =
      probes === 'exact'
        ? exactProbes(shape, size)
        : randomProbes(probes, y.shape, { generator: own('probes'), first });
    const share = probes === 'exact' ? 1 : 1 / probes;
    const slopeAt: SlopeAt = async (place, { t, scale, rho }) => {
      await new Promise(setImmediate);
      if (stop.stopped) return undefined;
      const x = tf.mul(place, scale);
      const steps: tf.Tensor1D = tf.fill([size], t, 'int32');
      const result = run(traced, [x, steps, directions], { eager, precision });
      const [eps, sums] = await result.finally(() => tf.dispose([x, steps]));
      const trace = Array.from(await sums.data(), (sum) => sum * share * rho * scale);
      sums.dispose();
      onProgress?.(++calls, nfe * samples.parts.length);
      return { eps, trace };
    };
    try {
      if (kind !== 'none') {
        await assertGreyLevels(y);
        const spread = await dequantise(kind, y, { rho: nodes[0].rho, generator, first });
        y.dispose();
        y = spread.y;
        nats.set(spread.nats, first);
      }
      const volume = new Float64Array(size);
      for (let i = 1; i < nodes.length; i++) {
        const step = await heunStep(slopeAt, y, nodes[i - 1], nodes[i]);
        if (!step) return undefined;
        y.dispose();
        y = step.y;
        step.volume.forEach((change, b) => (volume[b] += change));
      }
      const start = await logStart(y, nodes[nodes.length - 1]);
      volume.forEach((change, b) => (logDensities[first + b] = start[b] + change));
    } finally {
      tf.dispose([y, directions]);
    }
  }
  logDensities.forEach((value, i) => (nats[i] -= value));
  return {
    ...meanBits(nats, dims),
    logDensities,
    values: nats.map((value) => value / (dims * Math.LN2)),
    dims,
    count,
    nfe,
  };
}

/** A step of the schedule as the solver sees it. */
interface Node {
  t: number;
  /** `sqrt(abar)`. */
  scale: number;
  /** `sqrt((1 - abar) / abar)`. */
  rho: number;
}

/** `eps` at y, and for each sample the trace of `dy / d ln rho`; undefined if it was stopped. */
type SlopeAt = (y: tf.Tensor, node: Node) => Promise<{ eps: tf.Tensor; trace: number[] } | undefined>;

/** y at the next node, and by how much `ln p` is larger here than there; undefined if it was stopped. */
async function heunStep(
  slopeAt: SlopeAt,
  y: tf.Tensor,
  here: Node,
  there: Node,
): Promise<{ y: tf.Tensor; volume: number[] } | undefined> {
  const rise = there.rho - here.rho;
  const first = await slopeAt(y, here);
  if (!first) return undefined;
  const guess = tf.tidy(() => tf.add(y, tf.mul(first.eps, rise)));
  try {
    const second = await slopeAt(guess, there);
    if (!second) return undefined;
    const next = tf.tidy(() => tf.add(y, tf.mul(tf.add(first.eps, second.eps), rise / 2)));
    second.eps.dispose();
    // Along ln rho: where data do not vary at all the trace is the number of dimensions, and this rule exact.
    const width = Math.log(there.rho / here.rho) / 2;
    return { y: next, volume: first.trace.map((trace, b) => width * (trace + second.trace[b])) };
  } finally {
    tf.dispose([first.eps, guess]);
  }
}

function nodesOf({ T, abar, oneMinusAbar }: Schedule, solverSteps = T - 1): Node[] {
  if (!(Number.isInteger(solverSteps) && solverSteps >= 1 && solverSteps < T)) {
    throw new Error(`solverSteps is ${solverSteps}: use a whole number from 1 to T - 1 = ${T - 1}.`);
  }
  return Array.from({ length: solverSteps + 1 }, (_, i) => {
    const t = Math.round((i * (T - 1)) / solverSteps);
    return { t, scale: Math.sqrt(abar[t]), rho: Math.sqrt(oneMinusAbar[t] / abar[t]) };
  });
}

/** `ln p(y)` at the end of the flow, where `x = sqrt(abar) y` is N(0, I); nats, one for each sample. */
async function logStart(y: tf.Tensor, { scale }: Node): Promise<number[]> {
  const dims = y.size / y.shape[0];
  const squares = tf.tidy(() => tf.sum(tf.reshape(tf.square(tf.mul(y, scale)), [-1, dims]), 1));
  const values = Array.from(await squares.data());
  squares.dispose();
  return values.map((square) => dims * (Math.log(scale) - Math.log(2 * Math.PI) / 2) - square / 2);
}
