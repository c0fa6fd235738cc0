/** What the forward process alone says about the entropy of a step back. In bits. */
import { assertStep, type Schedule } from '../diffusion';
import { bitEntropy, flipMarginal, flipStep, type FlipSchedule } from './flips';

/** `lower <= H(X_{t-1} | X_t) <= upper`. */
export interface EntropyBounds {
  lower: number;
  upper: number;
}

const gaussianBits = (variance: number, dims: number): number =>
  (dims / 2) * Math.log2(2 * Math.PI * Math.E * variance);

/**
 * Bounds on the entropy of a reverse step of the Gaussian process that hold for all data:
 * `H(X_t | X_{t-1}) + H(X_{t-1} | X_0) - H(X_t | X_0) <= H(X_{t-1} | X_t) <= H(X_t | X_{t-1})`.
 *
 * The lower one is the entropy of the posterior `q(x_{t-1} | x_t, x_0)`, that of one who knows x_0. The upper one holds if
 * noise does not lower the entropy of the data, as with data of unit variance. For t = 0 nothing is known from below.
 *
 * @param o.dims numbers in a sample
 * @throws Error if t is no step of the schedule
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.6
 */
export function gaussianEntropyBounds(o: { schedule: Schedule; t: number; dims: number }): EntropyBounds {
  const { schedule, t, dims } = o;
  assertStep(schedule, t);
  const upper = gaussianBits(schedule.betas[t], dims);
  if (t === 0) return { lower: -Infinity, upper };
  const [before, after] = [schedule.oneMinusAbar[t - 1], schedule.oneMinusAbar[t]].map((v) =>
    gaussianBits(v, dims),
  );
  return { lower: upper + before - after, upper };
}

/**
 * The same bounds for the binomial process: sums over the bits, whose entropies also depend on how often each is 1.
 *
 * @param o.ones for each bit of the data, how often it is 1
 * @throws Error if t is no step of the schedule, or a share lies outside [0, 1]
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.6
 */
export function flipEntropyBounds(o: {
  schedule: FlipSchedule;
  t: number;
  ones: readonly number[];
}): EntropyBounds {
  const { schedule, t, ones } = o;
  if (!(Number.isInteger(t) && t >= 0 && t < schedule.T)) {
    throw new Error(`t is ${t}: a schedule with T = ${schedule.T} has the steps 0..${schedule.T - 1}.`);
  }
  const wrong = ones.findIndex((share) => !(share >= 0 && share <= 1));
  if (wrong >= 0) throw new Error(`ones[${wrong}] is ${ones[wrong]}: a share lies between 0 and 1.`);
  /** Entropy of a bit given an earlier one, which is 1 in a share of cases. */
  const given = (share: number, one: (bit: number) => number): number =>
    share * bitEntropy(one(1)) + (1 - share) * bitEntropy(one(0));
  const sum = (f: (share: number) => number): number => ones.reduce((total, share) => total + f(share), 0);
  const from0 = (step: number): number =>
    step < 0 ? 0 : sum((share) => given(share, (bit) => flipMarginal(schedule, bit, step)));
  const upper = sum((share) =>
    given(t === 0 ? share : flipMarginal(schedule, share, t - 1), (bit) => flipStep(schedule, bit, t)),
  );
  return { lower: upper + from0(t - 1) - from0(t), upper };
}
