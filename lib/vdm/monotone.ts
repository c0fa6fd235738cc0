/** gamma as a network that can only rise. */
import { tf } from '../engine';
import { endsOf, learnedEnds, type GammaEnds, type GammaSchedule } from './schedule';

export interface MonotoneGammaOptions extends GammaEnds {
  /** Units of the hidden layer, 64 by default; the paper has 1024. */
  units?: number;
  /** Whether the ends are learned too, true by default. */
  learnEnds?: boolean;
}

/** How steep a unit of the hidden layer is at first, against the distance to its neighbour. */
const OVERLAP = 2;

/**
 * `gamma(t) = gammaMin + (gammaMax - gammaMin) (f(t) - f(0)) / (f(1) - f(0))` with `f = l1 + l3(sigmoid(l2(l1)))`, where all
 * weights are above 0, so that f rises.
 *
 * The weights are kept as logarithms. At first the units lie evenly over [0, 1], and gamma is nearly a line.
 *
 * @throws Error if the ends or the units do not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), appendix H
 */
export function monotoneGamma(options: MonotoneGammaOptions = {}): GammaSchedule {
  const { units = 64, learnEnds = true } = options;
  const { gammaMin, gammaMax } = endsOf(options);
  if (!(Number.isSafeInteger(units) && units >= 1)) {
    throw new Error(`units is ${units}: use a whole number of at least 1.`);
  }
  const steep = OVERLAP * (units + 1);
  const middles = Array.from({ length: units }, (_, k) => (k + 1) / (units + 1));
  const variable = (values: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)));
  const all = (value: number): number[] => new Array<number>(units).fill(value);
  const logL1 = variable([0]);
  const logL2 = variable(all(Math.log(steep)));
  const bias2 = variable(middles.map((middle) => -steep * middle));
  const logL3 = variable(all(-Math.log(units)));
  const interior = new Map([
    ['logL1', logL1],
    ['logL2', logL2],
    ['bias2', bias2],
    ['logL3', logL3],
  ]);
  const learned = learnEnds ? learnedEnds({ gammaMin, gammaMax }) : undefined;
  const start = (): tf.Tensor => learned?.start ?? tf.scalar(gammaMin);
  const width = (): tf.Tensor => learned?.width() ?? tf.scalar(gammaMax - gammaMin);

  /** l1, the hidden units `[..., K]` and f at some times. */
  const forward = (t: tf.Tensor) => {
    const l1 = tf.mul(tf.exp(logL1), t);
    const hidden = tf.sigmoid(tf.add(tf.mul(tf.expandDims(l1, -1), tf.exp(logL2)), bias2));
    return { hidden, f: tf.add(l1, tf.sum(tf.mul(hidden, tf.exp(logL3)), -1)) };
  };
  const first = (): tf.Tensor => forward(tf.scalar(0)).f;
  /** `(gammaMax - gammaMin) / (f(1) - f(0))`. */
  const scale = (): tf.Tensor => tf.div(width(), tf.sub(forward(tf.scalar(1)).f, first()));

  return {
    name: 'monotone network',
    gamma: (t) =>
      tf.tidy(() => tf.add(tf.mul(tf.reshape(tf.sub(forward(t).f, first()), t.shape), scale()), start())),
    slope: (t) =>
      tf.tidy(() => {
        const { hidden } = forward(t);
        const steepness = tf.mul(tf.mul(hidden, tf.sub(1, hidden)), tf.exp(tf.add(logL2, logL3)));
        const ofF = tf.mul(tf.add(tf.sum(steepness, -1), 1), tf.exp(logL1));
        return tf.mul(tf.reshape(ofF, t.shape), scale());
      }),
    ends: learned?.variables ?? new Map(),
    interior,
    dispose: () => {
      tf.dispose([...interior.values()]);
      learned?.dispose();
    },
  };
}
