/** Which steps to look at if not all: drawn in proportion to weights, each draw counted 1 / probability times. */
import type { Generator } from '../engine';

/**
 * The last losses of each step, and the weights that follow from them: `p_t ~ sqrt(E[L_t^2])`, at which the estimate of
 * `sum_t L_t` scatters least. Uniform until every step has a full history.
 *
 * @see Nichol and Dhariwal 2021 (arXiv 2102.09672), eq. 18
 */
export interface LossHistory {
  readonly T: number;
  /** Takes the losses that were found at steps t in, in any unit. */
  update(t: ArrayLike<number>, losses: ArrayLike<number>): void;
  /** One weight for each step 0..T-1; they sum to 1, and none is 0. */
  weights(): Float64Array;
}

/**
 * An empty history.
 *
 * @param o.T steps of the schedule
 * @param o.length losses kept for each step, 10 by default
 * @param o.uniformShare of the weights that is the same for all steps, whatever their losses; 0.001 by default
 * @param o.firstStep the first that is drawn, 1 by default: L_0 is not one of the divergences; a history for training
 *   takes 0
 * @throws Error if a number does not fit
 */
export function createLossHistory(o: {
  T: number;
  length?: number;
  uniformShare?: number;
  firstStep?: number;
}): LossHistory {
  const { T, length = 10, uniformShare = 1e-3, firstStep = 1 } = o;
  for (const [name, value, least] of [
    ['T', T, 1],
    ['length', length, 1],
    ['firstStep', firstStep, 0],
  ] as const) {
    if (!(Number.isInteger(value) && value >= least)) {
      throw new Error(`${name} is ${value}: use a whole number of at least ${least}.`);
    }
  }
  if (!(uniformShare > 0 && uniformShare <= 1)) {
    throw new Error(
      `uniformShare is ${uniformShare}: it must lie in (0, 1], so that every step can be drawn.`,
    );
  }
  const drawn = T - firstStep;
  const kept = Array.from({ length: T }, (): number[] => []);
  return {
    T,
    update(t, losses) {
      for (let i = 0; i < t.length; i++) {
        const list = kept[t[i]];
        if (!list) throw new Error(`t is ${t[i]}: a history with T = ${T} has the steps 0..${T - 1}.`);
        if (!Number.isFinite(losses[i])) throw new Error(`The loss of step ${t[i]} is ${losses[i]}.`);
        if (list.push(losses[i]) > length) list.shift();
      }
    },
    weights() {
      const isDrawn = (t: number): boolean => t >= firstStep;
      const isFull = kept.every((list, t) => !isDrawn(t) || list.length === length);
      const sizes = kept.map((list, t) =>
        isDrawn(t) && isFull ? Math.sqrt(list.reduce((sum, loss) => sum + loss * loss, 0) / length) : 0,
      );
      const sum = sizes.reduce((total, size) => total + size, 0);
      return Float64Array.from(sizes, (size, t) => {
        const uniform = isDrawn(t) ? 1 / drawn : 0;
        return sum > 0 ? (1 - uniformShare) * (size / sum) + uniformShare * uniform : uniform;
      });
    },
  };
}

/** Given weights as the probabilities of t = 1..T-1 (that of 0 becomes 0). @throws Error unless each is above 0 */
export function stepProbabilities(weights: ArrayLike<number>, T: number): Float64Array {
  if (weights.length !== T) {
    throw new Error(
      `weights has ${weights.length} numbers, but the schedule has ${T} steps: give one for each.`,
    );
  }
  const probabilities = Float64Array.from(weights);
  probabilities[0] = 0; // L_0 is not drawn
  for (let t = 1; t < T; t++) {
    if (probabilities[t] > 0 && probabilities[t] < Infinity) continue;
    throw new Error(
      `weights[${t}] is ${probabilities[t]}: it must be above 0, or the bound would lack that step's term.`,
    );
  }
  const sum = probabilities.reduce((total, weight) => total + weight, 0);
  return probabilities.map((weight) => weight / sum);
}

const HALF_BITS = 26;

/** Steps drawn for the samples `first`, `first + 1`, ..., one for each; a sample's step depends on its own number only. */
export async function drawSteps(
  probabilities: Float64Array,
  o: { generator: Generator; first: number; size: number },
): Promise<Int32Array> {
  // 52 random bits: a float32 would be too coarse for steps that are hardly ever drawn.
  const drawn = o.generator.integers([o.size, 2], { max: 2 ** HALF_BITS, firstSample: o.first });
  const halves = await drawn.data();
  drawn.dispose();
  let last = 0;
  const edges = probabilities.map((probability) => (last += probability));
  const end = probabilities.length - 1;
  return Int32Array.from({ length: o.size }, (_, i) => {
    const u = (halves[2 * i] * 2 ** HALF_BITS + halves[2 * i + 1]) / 2 ** (2 * HALF_BITS);
    const t = edges.findIndex((edge) => u * last < edge);
    return t < 0 ? end : t;
  });
}
