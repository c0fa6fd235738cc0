/** How far the end of the forward process is from the pure noise at which sampling starts. */
import { natsToBits } from '../gaussian';
import { Schedule } from './schedules';

/** Mean of x_0^2 over all pixels of MNIST's 60,000 training images, scaled to [-1, 1]. */
const MNIST_MEAN_SQUARE = 0.92537;
const MNIST_PIXELS = 28 * 28;

/** Share of the signal's variance that may be left at the last step before `signalLeft` speaks up. */
const TOLERATED_ABAR = 0.01;

export interface ImageStatistics {
  /** Mean of x_0^2 over pixels and images; MNIST's by default. */
  meanSquare?: number;
  /** Pixels times channels of an image; 784 by default. */
  dims?: number;
}

/**
 * The prior matching term of the ELBO, in bits an image:
 * `KL(q(x_T | x_0) || N(0, I)) = dims/2 (abar_T (E x_0^2 - 1) - ln(1 - abar_T)) / ln 2`.
 *
 * It is what sampling gets wrong before the network does anything: it starts from N(0, I), training ended at q(x_T).
 * Linear betas on MNIST: 26 bits with the T = 300 of the notes, 0.02 bits with T = 1000.
 *
 * @throws Error if meanSquare is negative or dims is not a whole number of at least 1
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 5, L_T; notes: "Interpretations", "The last term"
 */
export function priorBits(schedule: Schedule, statistics: ImageStatistics = {}): number {
  const { meanSquare = MNIST_MEAN_SQUARE, dims = MNIST_PIXELS } = statistics;
  if (!(meanSquare >= 0 && Number.isFinite(meanSquare))) {
    throw new Error(`meanSquare is ${meanSquare}: the mean of x_0^2 must be 0 or more.`);
  }
  if (!Number.isInteger(dims) || dims < 1) {
    throw new Error(
      `dims is ${dims}: the number of values in an image must be a whole number of at least 1.`,
    );
  }
  const abar = schedule.abar[schedule.T - 1];
  return natsToBits((dims / 2) * (abar * (meanSquare - 1) - Math.log1p(-abar)));
}

/**
 * The warning that a schedule deserves if it leaves more than 1 % of the signal's variance at its last step
 * (`abar[T-1] > 0.01`), or undefined if it does not.
 *
 * The schedules themselves print nothing: whoever trains or samples shows this.
 */
export function signalLeft(schedule: Schedule, statistics: ImageStatistics = {}): string | undefined {
  const abar = schedule.abar[schedule.T - 1];
  if (abar <= TOLERATED_ABAR) return undefined;
  const percent = twoDigits(100 * abar);
  const bits = twoDigits(priorBits(schedule, statistics));
  return (
    `The ${schedule.name} schedule with T = ${schedule.T} leaves ${percent} % of the signal's variance ` +
    `(abar = ${abar.toPrecision(3)}) at its last step: x_T is ${bits} bits an image away from the pure noise at ` +
    'which sampling starts. Use more steps, larger betas or the cosine schedule.'
  );
}

/** Two significant digits, and never an exponent for a number above 100. */
const twoDigits = (value: number) => (value < 10 ? value.toPrecision(2) : value.toFixed(0));
