/** gamma as a function of time: fixed, or a line whose ends are learned. */
import { tf } from '../engine';
import { assertEnds } from './levels';

/** `gamma(t)` for t in [0, 1], rising; the schedule owns its variables. */
export interface GammaSchedule {
  readonly name: string;
  /** `gamma(t)`, shaped as t; differentiable by t and by the variables. The caller owns it. */
  gamma(t: tf.Tensor): tf.Tensor;
  /** `gamma'(t)`, in closed form and so differentiable as well. */
  slope(t: tf.Tensor): tf.Tensor;
  /** Variables that move gamma(0) and gamma(1), and with them the bound. */
  readonly ends: ReadonlyMap<string, tf.Variable>;
  /** Variables that move what lies between: in continuous time only the variance of the bound. */
  readonly interior: ReadonlyMap<string, tf.Variable>;
  dispose(): void;
}

export interface GammaEnds {
  /** gamma(0), of the data with the least noise; -13.3 by default, as in the paper. */
  gammaMin?: number;
  /** gamma(1), of what is nearly nothing but noise; 5 by default. */
  gammaMax?: number;
}

/** How gamma runs between its ends: a line, the cosine schedule, or slow, fast, slow. */
export type GammaShape = 'linear' | 'cosine' | 'sigmoid';

/** A schedule without variables, also on numbers. */
export interface FixedGamma extends GammaSchedule {
  /** `gamma(t)` and `gamma'(t)`, float64. */
  at(t: number): { gamma: number; slope: number };
}

const none: ReadonlyMap<string, tf.Variable> = new Map();
/** The paper's ends, for 256 grey levels. */
export const PAPER_ENDS = { gammaMin: -13.3, gammaMax: 5 } as const;

/** The ends, checked. */
export function endsOf({ gammaMin = PAPER_ENDS.gammaMin, gammaMax = PAPER_ENDS.gammaMax }: GammaEnds) {
  assertEnds(gammaMin, gammaMax, ['gammaMin', 'gammaMax']);
  return { gammaMin, gammaMax };
}

/** `sigmoid` runs from -STEEP to STEEP. */
const STEEP = 3;

/**
 * gamma fixed: between its ends it runs as `shape` says.
 *
 * - `linear`: `gammaMin + (gammaMax - gammaMin) t`
 * - `cosine`: `2 ln tan(pi u / 2)`, the schedule `abar = cos^2(pi u / 2)`, where u runs evenly between the ends
 * - `sigmoid`: a logistic curve, slow at both ends
 *
 * @throws Error if the ends or the shape do not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), appendix H; Nichol and Dhariwal 2021 (arXiv 2102.09672), eq. 17
 */
export function fixedGamma(options: GammaEnds & { shape?: GammaShape } = {}): FixedGamma {
  const { shape = 'linear' } = options;
  const { gammaMin, gammaMax } = endsOf(options);
  const width = gammaMax - gammaMin;
  const timeOf = (gamma: number): number => (2 / Math.PI) * Math.atan(Math.exp(gamma / 2));
  const [first, last] = [timeOf(gammaMin), timeOf(gammaMax)];
  const logistic = (t: number): number => 1 / (1 + Math.exp(-STEEP * (2 * t - 1)));
  const scale = width / (logistic(1) - logistic(0));

  const forms = {
    linear: {
      at: (t: number) => ({ gamma: gammaMin + width * t, slope: width }),
      gamma: (t: tf.Tensor) => tf.add(tf.mul(t, width), gammaMin),
      slope: (t: tf.Tensor) => tf.fill(t.shape, width),
    },
    cosine: {
      at: (t: number) => {
        const u = first + (last - first) * t;
        const gamma = 2 * Math.log(Math.tan((Math.PI / 2) * u));
        return { gamma, slope: ((last - first) * 2 * Math.PI) / Math.sin(Math.PI * u) };
      },
      gamma: (t: tf.Tensor) => {
        const angle = tf.mul(tf.add(tf.mul(t, last - first), first), Math.PI / 2);
        return tf.mul(tf.log(tf.div(tf.sin(angle), tf.cos(angle))), 2);
      },
      slope: (t: tf.Tensor) => {
        const angle = tf.mul(tf.add(tf.mul(t, last - first), first), Math.PI);
        return tf.div((last - first) * 2 * Math.PI, tf.sin(angle));
      },
    },
    sigmoid: {
      at: (t: number) => {
        const h = logistic(t);
        const slope = scale * 2 * STEEP * h * (1 - h);
        return { gamma: gammaMin + scale * (h - logistic(0)), slope };
      },
      gamma: (t: tf.Tensor) => tf.add(tf.mul(tf.sub(curve(t), logistic(0)), scale), gammaMin),
      slope: (t: tf.Tensor) => {
        const h = curve(t);
        return tf.mul(tf.mul(h, tf.sub(1, h)), 2 * STEEP * scale);
      },
    },
  };
  const curve = (t: tf.Tensor): tf.Tensor => tf.sigmoid(tf.mul(tf.sub(tf.mul(t, 2), 1), STEEP));
  if (!Object.hasOwn(forms, shape)) {
    throw new Error(`shape is ${JSON.stringify(shape)}: use 'linear', 'cosine' or 'sigmoid'.`);
  }
  const { at, gamma, slope } = forms[shape];
  return {
    name: shape,
    at: (t) => {
      assertTime(t);
      return at(t);
    },
    gamma: (t) => tf.tidy(() => gamma(t)),
    slope: (t) => tf.tidy(() => slope(t)),
    ends: none,
    interior: none,
    dispose: () => undefined,
  };
}

/** Throws unless t is a time. */
export function assertTime(t: number): void {
  if (!(t >= 0 && t <= 1)) throw new Error(`t is ${t}: times lie in [0, 1].`);
}

/**
 * A line with learned ends: `gamma(t) = start + |width| t`. Both variables are in nats, so that one learning rate fits both.
 *
 * @throws Error if the first ends do not fit
 * @see Kingma et al. 2021 (arXiv 2107.00630), appendix H
 */
export function linearGamma(options: GammaEnds = {}): GammaSchedule {
  const ends = learnedEnds(endsOf(options));
  return {
    name: 'linear, learned ends',
    gamma: (t) => tf.tidy(() => tf.add(tf.mul(ends.width(), t), ends.start)),
    slope: (t) => tf.tidy(() => tf.mul(ends.width(), tf.onesLike(t))),
    ends: ends.variables,
    interior: none,
    dispose: () => ends.dispose(),
  };
}

/** gamma(0) and `gamma(1) - gamma(0) = |width|` as variables. */
export function learnedEnds({ gammaMin, gammaMax }: Required<GammaEnds>) {
  const start = tf.tidy(() => tf.variable(tf.scalar(gammaMin)));
  const width = tf.tidy(() => tf.variable(tf.scalar(gammaMax - gammaMin)));
  return {
    start: start as tf.Tensor,
    width: (): tf.Tensor => tf.abs(width),
    variables: new Map([
      ['start', start],
      ['width', width],
    ]) as ReadonlyMap<string, tf.Variable>,
    dispose: () => tf.dispose([start, width]),
  };
}

/** `gamma(t)` and `gamma'(t)` of a schedule as it is now, for a list of times. @throws Error if one is not in [0, 1] */
export async function gammaValues(
  schedule: GammaSchedule,
  times: readonly number[],
): Promise<{ gamma: number[]; slope: number[] }> {
  times.forEach(assertTime);
  const tensors = tf.tidy(() => {
    const t = tf.tensor1d([...times]);
    return [schedule.gamma(t), schedule.slope(t)].map((values) => values.clone());
  });
  const [gamma, slope] = await Promise.all(tensors.map(async (values) => Array.from(await values.data())));
  tf.dispose(tensors);
  return { gamma, slope };
}
