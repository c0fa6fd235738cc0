/**
 * From the notes' derivation to the form that their program trains: four more lines, which the notes leave out (Ho et al.
 * 2020, arXiv 2006.11239, appendix A; Luo 2022, arXiv 2208.11970, eqs. 46-58). Written as the lines of `derivation.ts`.
 */
import {
  conditionAt,
  klDivergence,
  logDensity,
  reverseConditional,
  type Gaussian,
  type LinearGaussian,
} from '../gaussian';
import type { Term } from './averages';
import type { ChainModel } from './chain';
import { factors, jump, sumFrom } from './derivation';

/** `ln q(x_t | x_0)` and `ln q(x_{t-1} | x_t, x_0)` of a chain. */
function known(encoder: readonly LinearGaussian[]) {
  const jumps = Array.from({ length: encoder.length + 1 }, (_, t) => jump(encoder, t));
  const posterior = (x: number, xt: number, t: number): Gaussian =>
    conditionAt(reverseConditional(conditionAt(jumps[t - 1], x), encoder[t - 1]), xt);
  return {
    jumps,
    posterior,
    logJump: (h: readonly number[], t: number) => logDensity(h[t], conditionAt(jumps[t], h[0])),
    logPosterior: (h: readonly number[], t: number) => logDensity(h[t - 1], posterior(h[0], h[t], t)),
  };
}

/**
 * Line 9, Bayes' rule with x_0 given: in line 4 `q(x_t | x_{t-1}) = q(x_{t-1} | x_t, x_0) q(x_t | x_0) / q(x_{t-1} | x_0)`
 * for t = 2..T.
 */
export function line9(model: ChainModel): Term[] {
  const { T, logPrior, logBack, logForth } = factors(model);
  const { logJump, logPosterior } = known(model.encoder);
  const above = (h: readonly number[]): number =>
    logPrior(h) + logBack(h, 1) + sumFrom(2, T, (t) => logBack(h, t));
  const below = (h: readonly number[]): number =>
    logForth(h, 1) + sumFrom(2, T, (t) => logPosterior(h, t) + logJump(h, t) - logJump(h, t - 1));
  return [{ over: model.encoder, value: (h) => above(h) - below(h) }];
}

/**
 * Line 10, where the fractions have cancelled: `E_q[ln p(x_T) p(x_0 | x_1) / q(x_T | x_0) + sum_{t=2..T} ln p(x_{t-1} | x_t) /
 * q(x_{t-1} | x_t, x_0)]`.
 */
export function line10(model: ChainModel): Term[] {
  const { T, logPrior, logBack } = factors(model);
  const { logJump, logPosterior } = known(model.encoder);
  const value = (h: readonly number[]): number =>
    logPrior(h) + logBack(h, 1) - logJump(h, T) + sumFrom(2, T, (t) => logBack(h, t) - logPosterior(h, t));
  return [{ over: model.encoder, value }];
}

/** Line 11: a mean of its own for each logarithm, over the variables that it contains. */
export function line11({ prior, decoder, encoder }: ChainModel): Term[] {
  const T = encoder.length;
  const { jumps, posterior } = known(encoder);
  return [
    { over: [jumps[1]], value: ([x, h1]) => logDensity(x, decoder[0](h1)) },
    {
      over: [jumps[T]],
      value: ([x, end]) => logDensity(end, prior) - logDensity(end, conditionAt(jumps[T], x)),
    },
    ...outer(T).map((t): Term => ({
      over: [jumps[t - 1], encoder[t - 1]],
      value: ([x, before, own]) =>
        logDensity(before, decoder[t - 1](own)) - logDensity(before, posterior(x, own, t)),
    })),
  ];
}

/**
 * Line 12, denoising matching: `E[ln p(x_0 | x_1)] - KL(q(x_T | x_0) || p(x_T)) - sum_{t=2..T} E_{q(x_t | x_0)}[KL(q(x_{t-1} |
 * x_t, x_0) || p(x_{t-1} | x_t))]`. Both sides of each KL are conditioned on the same x_t, so nothing is lost.
 */
export function line12({ prior, decoder, encoder }: ChainModel): Term[] {
  const T = encoder.length;
  const { jumps, posterior } = known(encoder);
  return [
    { over: [jumps[1]], value: ([x, h1]) => logDensity(x, decoder[0](h1)) },
    { over: [], value: ([x]) => -klDivergence(conditionAt(jumps[T], x), prior) },
    ...outer(T).map((t): Term => ({
      over: [jumps[t]],
      value: ([x, xt]) => -klDivergence(posterior(x, xt, t), decoder[t - 1](xt)),
    })),
  ];
}

/** t = 2..T. */
const outer = (T: number): number[] => Array.from({ length: T - 1 }, (_, i) => i + 2);
