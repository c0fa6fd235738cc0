/**
 * The loss on data that were not trained on, as a whole and by bands of t.
 *
 * Each call draws the same steps and the same noise (they follow from the generator), so that two values differ only by
 * the networks; the steps are spread evenly over 0..T-1 instead of drawn, which takes most of the scatter away.
 */
import { toBatch, type Dataset } from '../datasets';
import { run } from '../compile';
import { qSample, type Denoiser, type Schedule } from '../diffusion';
import { ready, tf, type Generator } from '../engine';
import { interruptToken, type StopToken } from '../stop';

export interface ValidationOptions {
  denoiser: Denoiser;
  schedule: Schedule;
  /** Held-out samples, such as `loadMnist().validation`. */
  dataset: Dataset;
  /** Source of the noise; hand over the same one for values that are to be compared. */
  generator: Generator;
  /** Samples used, from the first; 512 (or all, if there are fewer) by default. */
  count?: number;
  /** Samples at a time, 32 by default: the event loop gets its turn in between. */
  batchSize?: number;
  /** Ends it; all losses are NaN then: those of a part would not be comparable. Default: the button ■. */
  stop?: StopToken;
}

/** A band of steps, `from <= t <= to`, and its loss. */
export interface BandLoss {
  from: number;
  to: number;
  /** Mean of (eps - epsHat)^2 over the band. */
  loss: number;
  standardError: number;
  /** Samples in the band. */
  count: number;
}

const GOLDEN_SECTION = (Math.sqrt(5) - 1) / 2;

/** The squared error of each sample, averaged over its values, with its step; none if it was stopped. */
async function sampleLosses(options: ValidationOptions): Promise<{ t: number; loss: number }[]> {
  const { denoiser, schedule, dataset, generator, batchSize = 32, stop = interruptToken } = options;
  const { count = Math.min(512, dataset.count) } = options;
  for (const [name, value] of Object.entries({ count, batchSize })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new Error(`${name} = ${value}: use a whole number of at least 1.`);
    }
  }
  if (count > dataset.count) {
    throw new Error(
      `count = ${count}: ${dataset.name} (${dataset.split}) has only ${dataset.count} samples.`,
    );
  }
  const losses: { t: number; loss: number }[] = [];
  await ready();
  for (let first = 0; first < count; first += batchSize) {
    await new Promise(setImmediate);
    if (stop.stopped) return [];
    const indices = Array.from({ length: Math.min(batchSize, count - first) }, (_, i) => first + i);
    // Multiples of the golden section fill 0..1 evenly, however many there are.
    const steps = indices.map((i) => Math.floor((((i + 0.5) * GOLDEN_SECTION) % 1) * schedule.T));
    const batch = tf.tidy(() => {
      const x0 = toBatch(dataset, indices);
      const eps = generator.fork('validation').normal(x0.shape, { firstSample: first });
      const t = tf.tensor1d(steps, 'int32');
      return { eps, t, xt: qSample({ schedule, x0, t, eps }) };
    });
    const epsHat = await run(denoiser, [batch.xt, batch.t]).catch((error) => {
      tf.dispose(batch);
      throw error;
    });
    const errors = tf.tidy(() =>
      tf.squaredDifference(batch.eps, epsHat).reshape([indices.length, -1]).mean(1),
    );
    tf.dispose([batch, epsHat]);
    const values = await errors.data();
    errors.dispose();
    steps.forEach((t, i) => losses.push({ t, loss: values[i] }));
  }
  return losses;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Mean of (eps - epsHat)^2 on held-out samples; 1 for a network that always predicts 0.
 *
 * @returns NaN if it was stopped
 * @throws Error if count or batchSize does not fit
 */
export async function validationLoss(options: ValidationOptions): Promise<number> {
  return mean((await sampleLosses(options)).map(({ loss }) => loss));
}

/**
 * The same by bands of t, from little noise (t = 0) to much: the mean over all t hides that the bands differ by a factor
 * of ten and more.
 *
 * @param options.bands number of bands of (nearly) equal width, 10 by default
 * @throws Error if count, batchSize or bands does not fit
 */
export async function lossByBand(options: ValidationOptions & { bands?: number }): Promise<BandLoss[]> {
  const { bands = 10, schedule } = options;
  if (!(Number.isInteger(bands) && bands >= 1 && bands <= schedule.T)) {
    throw new Error(`bands = ${bands}: use a whole number from 1 to T = ${schedule.T}.`);
  }
  const losses = await sampleLosses(options);
  const edge = (band: number): number => Math.round((band * schedule.T) / bands);
  return Array.from({ length: bands }, (_, band) => {
    const [from, to] = [edge(band), edge(band + 1) - 1];
    const values = losses.filter(({ t }) => t >= from && t <= to).map(({ loss }) => loss);
    const loss = mean(values);
    const variance = values.reduce((sum, value) => sum + (value - loss) ** 2, 0) / (values.length - 1);
    return { from, to, loss, standardError: Math.sqrt(variance / values.length), count: values.length };
  });
}

/**
 * A warning if a run has learned nothing: the mean of the last `window` losses (500 by default) is that of a network that
 * always says 0. Undefined if it is not, or there are fewer losses.
 */
export function stuckLoss(losses: readonly number[], window = 500): string | undefined {
  if (losses.length < window) return undefined;
  const average = mean(losses.slice(-window));
  if (Math.abs(average - 1) > 0.01) return undefined;
  return (
    `The mean loss of the last ${window} steps is ${average.toFixed(3)}, that of a network that always predicts 0: ` +
    'it has learned nothing. Check that the gradient reaches the weights, and try another learning rate.'
  );
}
