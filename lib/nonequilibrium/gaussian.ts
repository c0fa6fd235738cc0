/** Gaussian diffusion with a learned way back: mean, variances and, if wanted, how the coordinates lean on each other. */
import { gatherSchedule, posteriorCoefficients, qSample, type Schedule } from '../diffusion';
import { tf, type Generator } from '../engine';
import { couplings, gathered, leaning, spread, strictlyLower } from './coupling';
import { assertSamples, spokenSteps, type LastStep, type ReverseModel } from './model';
import type { MakeNet } from './nets';

/** `p(x_{t-1} | x_t)` of a batch: `x_i = mean_i + sum_{j<i} C_ij (x_j - mean_j) + sqrt(variance_i) z_i`. */
export interface GaussianStep {
  mean: tf.Tensor;
  /** `[B, D]`, of each coordinate given those before it. */
  variance: tf.Tensor;
  /** C `[B, D, D]`, strictly lower; left out where the coordinates are independent. */
  coupling?: tf.Tensor3D;
}

export interface GaussianReverseOptions {
  schedule: Schedule;
  /** Numbers in a sample. */
  dims: number;
  net: MakeNet;
  /** Of the first values of the parameters. */
  generator: Generator;
  /** 'diagonal' (the paper's, and the default), or 'full'. */
  covariance?: 'diagonal' | 'full';
  /** 'forward' (the paper's, and the default), or 'learned'. */
  lastStep?: LastStep;
}

/**
 * A Gaussian reverse process: with `f`, `g`, `h` from a network,
 * `mean = sqrt(1 - beta) x + sqrt(beta) f`, `variance = sigmoid(g / sqrt(T) + logit beta)`, `C = h / sqrt(T)`.
 *
 * As the network begins by saying 0, the chain begins as that of unit Gaussian data, of which it is the exact inverse. The
 * caller disposes of the model.
 *
 * @throws Error if dims is no whole number of at least 1
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.2, table App.1 and appendix D
 */
export function gaussianReverse(options: GaussianReverseOptions): ReverseModel<GaussianStep> {
  const { schedule, dims, covariance = 'diagonal', lastStep = 'forward', generator } = options;
  if (!(Number.isSafeInteger(dims) && dims >= 1)) {
    throw new Error(`dims = ${dims}: use a whole number of at least 1.`);
  }
  const { T, betas } = schedule;
  const pairs = covariance === 'full' ? couplings(dims) : 0;
  const net = options.net({ inputs: dims, outputs: 2 * dims + pairs, T, generator });
  const tables = tablesOf(schedule, spokenSteps(T, lastStep));
  const at = (table: ArrayLike<number>, t: tf.Tensor1D): tf.Tensor => gatherSchedule(table, t, 2);

  const step = (xt: tf.Tensor, t: tf.Tensor1D): GaussianStep => {
    assertSamples('xt', xt, dims);
    return tf.tidy(() => {
      const said = tf.mul(net.predict(xt, t), at(tables.spoken, t));
      const [f, g, h] = tf.split(said, pairs > 0 ? [dims, dims, pairs] : [dims, dims], 1);
      return {
        mean: tf.add(tf.mul(xt, at(tables.keep, t)), tf.mul(f, at(tables.move, t))),
        variance: tf.sigmoid(tf.add(tf.mul(g, 1 / Math.sqrt(T)), at(tables.logit, t))),
        ...(pairs > 0 && { coupling: strictlyLower(tf.mul(h, 1 / Math.sqrt(T)), dims) }),
      };
    });
  };

  return {
    kind: 'gaussian',
    dims,
    T,
    parameters: net.parameters,
    parameterCount: net.parameterCount,
    noised: (x0, t, eps) => qSample({ schedule, x0, t, eps }),
    step,
    draw: ({ mean, variance, coupling }, z) =>
      tf.tidy(() => {
        const own = tf.mul(tf.sqrt(variance), z);
        return tf.add(mean, coupling ? spread(coupling, own) : own);
      }),
    start: (z) => z.clone(),
    term: (x0, xt, t) =>
      tf.tidy(() => {
        const { mean, variance, coupling } = step(xt, t);
        const posterior = tf.add(tf.mul(x0, at(tables.x0, t)), tf.mul(xt, at(tables.xt, t)));
        const known = at(tables.variance, t);
        const apart = tf.sub(posterior, mean);
        const miss = coupling ? tf.sub(apart, leaning(coupling, apart)) : apart;
        const spreads = coupling ? tf.add(tf.sum(tf.square(coupling), 2), 1) : tf.onesLike(apart);
        // E_q[-ln p] of each coordinate, and below minus the entropy of q, which is nothing at t = 0.
        const cross = tf.add(
          tf.div(tf.add(tf.mul(spreads, known), tf.square(miss)), variance),
          tf.log(variance),
        );
        return tf.mul(tf.sum(tf.sub(cross, at(tables.entropy, t)), 1), 0.5 / Math.LN2) as tf.Tensor1D;
      }),
    priorTerm: (x0) =>
      tf.tidy(() => {
        const [left, noise] = [schedule.abar[T - 1], schedule.oneMinusAbar[T - 1]];
        const squares = tf.mul(tf.sum(tf.square(x0), 1), left);
        return tf.mul(tf.sub(squares, dims * (left + Math.log(noise))), 0.5 / Math.LN2) as tf.Tensor1D;
      }),
    nullBits: (x0) =>
      tf.tidy(() => {
        const squares = tf.sum(tf.square(x0), 1);
        return tf.mul(tf.add(squares, dims * Math.log(2 * Math.PI)), -0.5 / Math.LN2) as tf.Tensor1D;
      }),
    dispose: () => net.dispose(),
  };

  function tablesOf({ posteriorVariance }: Schedule, spoken: number[]) {
    const table = (f: (t: number) => number): number[] => Array.from({ length: T }, (_, t) => f(t));
    return {
      spoken,
      keep: table((t) => Math.sqrt(1 - betas[t])),
      move: table((t) => Math.sqrt(betas[t])),
      logit: table((t) => Math.log(betas[t]) - Math.log1p(-betas[t])),
      x0: table((t) => posteriorCoefficients(schedule, t).x0),
      xt: table((t) => posteriorCoefficients(schedule, t).xt),
      variance: table((t) => posteriorVariance[t]),
      entropy: table((t) => (t === 0 ? -Math.log(2 * Math.PI) : Math.log(posteriorVariance[t]) + 1)),
    };
  }
}

/**
 * A step multiplied by another distribution r(x), which is taken as smooth over the step's width:
 * `mean + covariance grad ln r`, with the gradient at the mean; exact where ln r is linear.
 *
 * @param gradient `grad ln r` at the points `[B, D]`, nats per unit
 * @see Sohl-Dickstein et al. 2015 (arXiv 1503.03585), section 2.5 and table App.1
 */
export function multiplyGaussian(step: GaussianStep, gradient: (x: tf.Tensor) => tf.Tensor): GaussianStep {
  return tf.tidy(() => {
    const { mean, variance, coupling } = step;
    const pull = gradient(mean);
    const shift = coupling
      ? spread(coupling, tf.mul(variance, gathered(coupling, pull)))
      : tf.mul(variance, pull);
    return { ...step, mean: tf.add(mean, shift) };
  });
}
