/**
 * The notes' derivation of the bound, line by line (notes: "Optimizing the variational diffusion model", "Continues"; Luo
 * 2022, arXiv 2208.11970, eqs. 34-45). Each line is written here as it stands in the notes and knows nothing of the
 * others, so that a number for one tests the step from the line before.
 *
 * From line 3 on a line is a sum of means (`Term`), to be evaluated by `exactSum`, `gridSum` or `sampledSum`. As in the
 * notes h[0] is x_0 and h[T] is x_T; `encoder[t - 1]` is q(x_t | x_{t-1}), and `decoder[t - 1]` is p(x_{t-1} | x_t).
 */
import {
  conditionAt,
  klDivergence,
  logDensity,
  marginalise,
  type Gaussian,
  type LinearGaussian,
} from '../gaussian';
import type { Term } from './averages';
import type { ChainModel } from './chain';

/** The logarithms of the factors of a chain, by the notes' indices. */
export function factors({ prior, decoder, encoder }: ChainModel) {
  return {
    T: encoder.length,
    /** `ln p(x_T)`. */
    logPrior: (h: readonly number[]) => logDensity(h[encoder.length], prior),
    /** `ln p(x_{t-1} | x_t)`. */
    logBack: (h: readonly number[], t: number) => logDensity(h[t - 1], decoder[t - 1](h[t])),
    /** `ln q(x_t | x_{t-1})`. */
    logForth: (h: readonly number[], t: number) => logDensity(h[t], conditionAt(encoder[t - 1], h[t - 1])),
  };
}

/** `f(from) + ... + f(to)`; 0 if there is none. */
export function sumFrom(from: number, to: number, f: (t: number) => number): number {
  let sum = 0;
  for (let t = from; t <= to; t++) sum += f(t);
  return sum;
}

/** The encoder's first t steps as one: q(x_t | x_0), for t = 0 x_0 itself. */
export function jump(encoder: readonly LinearGaussian[], t: number): LinearGaussian {
  return encoder.slice(0, t).reduce(
    (first, next) => {
      const { mean, variance } = marginalise({ mean: first.offset, variance: first.variance }, next);
      return { scale: first.scale * next.scale, offset: mean, variance };
    },
    { scale: 1, offset: 0, variance: 0 },
  );
}

/**
 * Line 1: `ln of the integral of p(x_0:T) over x_1:T`, on a grid of values, from the prior down. Uses no encoder.
 *
 * @param o.reach the grid goes from -reach to reach, 10 by default
 * @param o.points of the grid, 801 by default
 * @throws Error if the grid is too coarse for the narrowest step
 */
export function line1(
  { prior, decoder }: ChainModel,
  x: number,
  { reach = 10, points = 801 }: { reach?: number; points?: number } = {},
): number {
  const step = (2 * reach) / (points - 1);
  const narrowest = Math.sqrt(Math.min(prior.variance, ...decoder.map((back) => back(x).variance)));
  if (!(step < narrowest)) {
    throw new Error(
      `points is ${points}: steps of ${step} are too coarse for a standard deviation of ${narrowest}. Give more.`,
    );
  }
  const grid = Array.from({ length: points }, (_, i) => i * step - reach);
  const weighted = (density: number[], back: (h: number) => Gaussian) =>
    density.map((p, i) => {
      const { mean, variance } = back(grid[i]);
      return { mean, variance, mass: (p * step) / Math.sqrt(2 * Math.PI * variance) };
    });
  const at = (y: number, above: ReturnType<typeof weighted>): number =>
    above.reduce(
      (sum, { mean, variance, mass }) => sum + mass * Math.exp((y - mean) ** 2 / (-2 * variance)),
      0,
    );
  let density = grid.map((h) => Math.exp(logDensity(h, prior)));
  for (const back of decoder.slice(1).reverse()) {
    const above = weighted(density, back);
    density = grid.map((y) => at(y, above));
  }
  return Math.log(at(x, weighted(density, decoder[0])));
}

/** Line 2: `ln E_q[p(x_0:T) / q(x_1:T | x_0)]`; this is the term whose `exactLogMean` or `gridLogMean` it is. */
export function line2(model: ChainModel): Term {
  return line3(model)[0];
}

/** Line 3, Jensen's inequality: `E_q[ln p(x_0:T) / q(x_1:T | x_0)]`, each joint by its own product. */
export function line3(model: ChainModel): Term[] {
  const { T, logPrior, logBack, logForth } = factors(model);
  const logJoint = (h: readonly number[]): number => logPrior(h) + sumFrom(1, T, (t) => logBack(h, t));
  const logEncoder = (h: readonly number[]): number => sumFrom(1, T, (t) => logForth(h, t));
  return [{ over: model.encoder, value: (h) => logJoint(h) - logEncoder(h) }];
}

/** Line 4: `E_q[ln (p(x_T) p(x_0 | x_1) prod_{t=2..T} p(x_{t-1} | x_t) / prod_{t=1..T} q(x_t | x_{t-1}))]`. */
export function line4(model: ChainModel): Term[] {
  const { T, logPrior, logBack, logForth } = factors(model);
  const above = (h: readonly number[]): number =>
    logPrior(h) + logBack(h, 1) + sumFrom(2, T, (t) => logBack(h, t));
  const below = (h: readonly number[]): number => sumFrom(1, T, (t) => logForth(h, t));
  return [{ over: model.encoder, value: (h) => above(h) - below(h) }];
}

/**
 * Line 5, indices renamed: `E_q[ln (p(x_T) p(x_0 | x_1) prod_{t=1..T-1} p(x_t | x_{t+1}) / (q(x_T | x_{T-1})
 * prod_{t=1..T-1} q(x_t | x_{t-1})))]`.
 */
export function line5(model: ChainModel): Term[] {
  const { T, logPrior, logBack, logForth } = factors(model);
  const above = (h: readonly number[]): number =>
    logPrior(h) + logBack(h, 1) + sumFrom(1, T - 1, (t) => logBack(h, t + 1));
  const below = (h: readonly number[]): number => logForth(h, T) + sumFrom(1, T - 1, (t) => logForth(h, t));
  return [{ over: model.encoder, value: (h) => above(h) - below(h) }];
}

/**
 * Line 6, the logarithm of the product: `E_q[ln p(x_0 | x_1)] + E_q[ln p(x_T) / q(x_T | x_{T-1})] + sum_{t=1..T-1}
 * E_q[ln p(x_t | x_{t+1}) / q(x_t | x_{t-1})]`, every mean still over the whole chain.
 */
export function line6(model: ChainModel): Term[] {
  const { T, logPrior, logBack, logForth } = factors(model);
  const over = model.encoder;
  return [
    { over, value: (h) => logBack(h, 1) },
    { over, value: (h) => logPrior(h) - logForth(h, T) },
    ...inner(T).map((t) => ({ over, value: (h: readonly number[]) => logBack(h, t + 1) - logForth(h, t) })),
  ];
}

/** Line 7: the same three kinds of terms, each mean only over the variables that it contains. */
export function line7({ prior, decoder, encoder }: ChainModel): Term[] {
  const T = encoder.length;
  const to = (t: number) => jump(encoder, t);
  const last = encoder[T - 1];
  return [
    { over: [to(1)], value: ([x, h1]) => logDensity(x, decoder[0](h1)) },
    {
      over: [to(T - 1), last],
      value: ([, before, end]) => logDensity(end, prior) - logDensity(end, conditionAt(last, before)),
    },
    ...inner(T).map((t): Term => ({
      over: [to(t - 1), encoder[t - 1], encoder[t]],
      value: ([, before, own, after]) =>
        logDensity(own, decoder[t](after)) - logDensity(own, conditionAt(encoder[t - 1], before)),
    })),
  ];
}

/**
 * Line 8 as it is printed: `E[ln p(x_0 | x_1)] - E_{q(x_{T-1} | x_0)}[KL(q(x_T | x_{T-1}) || p(x_T))] - sum_{t=1..T-1}
 * E_{q(x_{t-1}, x_{t+1} | x_0)}[KL(q(x_t | x_{t-1}) || p(x_t | x_{t+1}))]`.
 *
 * Within the KL x_t is drawn anew from x_{t-1} and no longer belongs to x_{t+1}, so that the sum is another number than
 * line 7, by `redrawn`.
 */
export function line8({ prior, decoder, encoder }: ChainModel): Term[] {
  const T = encoder.length;
  const to = (t: number) => jump(encoder, t);
  return [
    { over: [to(1)], value: ([x, h1]) => logDensity(x, decoder[0](h1)) },
    {
      over: [to(T - 1)],
      value: ([, before]) => -klDivergence(conditionAt(encoder[T - 1], before), prior),
    },
    ...inner(T).map((t): Term => ({
      over: [to(t - 1), jump(encoder.slice(t - 1), 2)],
      value: ([, before, after]) => -klDivergence(conditionAt(encoder[t - 1], before), decoder[t](after)),
    })),
  ];
}

/**
 * What line 8 loses: line 7 = line 8 + `sum_{t=1..T-1} E[(x_t - E[x_t | x_{t-1}]) m_t(x_{t+1})] / sigma_t^2`, with m_t and
 * sigma_t^2 the mean and variance of p(x_t | x_{t+1}). In the KL x_t and x_{t+1} are drawn apart, and this is 0.
 */
export function redrawn({ decoder, encoder }: ChainModel): Term[] {
  return inner(encoder.length).map((t) => ({
    over: [jump(encoder, t - 1), encoder[t - 1], encoder[t]],
    value: ([, before, own, after]) => {
      const { mean, variance } = decoder[t](after);
      return ((own - conditionAt(encoder[t - 1], before).mean) * mean) / variance;
    },
  }));
}

/** t = 1..T-1. */
const inner = (T: number): number[] => Array.from({ length: T - 1 }, (_, i) => i + 1);
