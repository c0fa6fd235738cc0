/**
 * A Markovian hierarchical VAE in which everything is linear and Gaussian, in one dimension: log p(x), the ELBO and the
 * gap between them are numbers that can be written down.
 *
 * | here             | notes ("Mathematical representation")                                                    |
 * |------------------|------------------------------------------------------------------------------------------|
 * | `prior`          | `p(h_T)`                                                                                 |
 * | `decoder[0]`     | `p(x | h_1)`; `decoder[t]` is `p(h_t | h_{t+1})`: from the data to the deepest           |
 * | `encoder[0]`     | `q(h_1 | x)`; `encoder[t]` is `q(h_{t+1} | h_t)`                                         |
 */
import {
  conditionAt,
  entropy,
  expectedLogDensity,
  klDivergence,
  logDensity,
  marginalise,
  reverseConditional,
  type Gaussian,
  type LinearGaussian,
} from '../gaussian';
import { drawNormals, estimate, type DrawOptions, type Estimate } from './estimate';

export interface HierarchicalVae {
  prior: Gaussian;
  decoder: LinearGaussian[];
  encoder: LinearGaussian[];
}

/** Throws unless there is one encoder for each decoder. */
export function checkVae({ decoder, encoder }: HierarchicalVae): void {
  if (decoder.length === 0 || decoder.length !== encoder.length) {
    throw new Error(
      `The VAE has ${decoder.length} decoders and ${encoder.length} encoders: give one of each for every level.`,
    );
  }
}

/** The marginals of the generative chain: `p(h_T), ..., p(h_1), p(x)` in the order `[p(x), p(h_1), ..., p(h_T)]`. */
export function generativeMarginals({ prior, decoder }: HierarchicalVae): Gaussian[] {
  const marginals = [prior];
  for (const conditional of [...decoder].reverse()) marginals.unshift(marginalise(marginals[0], conditional));
  return marginals;
}

/** Exact `ln p(x)`, nats: integrating all h out of a linear Gaussian chain leaves a Gaussian. */
export function logEvidence(vae: HierarchicalVae, x: number): number {
  return logDensity(x, generativeMarginals(vae)[0]);
}

/**
 * The encoder that makes the bound tight: the true posteriors `p(h_1 | x), p(h_2 | h_1), ..., p(h_T | h_{T-1})`. They
 * form a Markov chain too, because the generative chain is one.
 */
export function truePosterior(vae: HierarchicalVae): LinearGaussian[] {
  const marginals = generativeMarginals(vae);
  return vae.decoder.map((conditional, t) => reverseConditional(marginals[t + 1], conditional));
}

/** The marginals of the encoder for one x: `q(h_1 | x), ..., q(h_T | x)`. */
export function encoderMarginals({ encoder }: HierarchicalVae, x: number): Gaussian[] {
  const marginals: Gaussian[] = [];
  encoder.forEach((conditional, t) =>
    marginals.push(t === 0 ? conditionAt(conditional, x) : marginalise(marginals[t - 1], conditional)),
  );
  return marginals;
}

/** `E[ln N(y; scale h + offset, variance)]` for jointly Gaussian y and h with the given covariance, nats. */
export function expectedConditional(
  { scale, offset, variance }: LinearGaussian,
  y: Gaussian,
  h: Gaussian,
  covariance: number,
): number {
  // y - scale h - offset is Gaussian with this mean and variance.
  const residual = {
    mean: y.mean - scale * h.mean - offset,
    variance: y.variance + scale ** 2 * h.variance - 2 * scale * covariance,
  };
  return logDensity(0, { mean: 0, variance }) - (residual.mean ** 2 + residual.variance) / (2 * variance);
}

/**
 * The ELBO of one x in closed form, nats: `E_q[ln p(x, h_1:T) - ln q(h_1:T | x)]`.
 *
 * @throws Error if the chains have different lengths, or a variance is not above 0
 * @see notes: "Equation for the Markovian hierarchical VAE"; Luo 2022 (arXiv 2208.11970), eq. 28
 */
export function elboExact(vae: HierarchicalVae, x: number): number {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const q = encoderMarginals(vae, x);
  const last = q.length - 1;
  const point = { mean: x, variance: 0 };
  let sum = expectedLogDensity(q[last], prior);
  decoder.forEach((conditional, t) => {
    const above = t === 0 ? point : q[t - 1];
    sum += expectedConditional(conditional, above, q[t], encoder[t].scale * above.variance);
    sum += entropy({ mean: 0, variance: encoder[t].variance }); // - E ln q: the same for every h
  });
  return sum;
}

/**
 * What Jensen's inequality loses, nats: `KL(q(h_1:T | x) || p(h_1:T | x))`, as the sum over the chain of the expected
 * KLs between the encoder's conditionals and the true ones. Computed without log p(x) or the ELBO.
 *
 * @throws Error if the chains have different lengths, or a variance is not above 0
 */
export function posteriorGap(vae: HierarchicalVae, x: number): number {
  checkVae(vae);
  const q = encoderMarginals(vae, x);
  return truePosterior(vae).reduce((sum, target, t) => {
    const own = vae.encoder[t];
    const given = t === 0 ? { mean: x, variance: 0 } : q[t - 1];
    const atMean = klDivergence(conditionAt(own, given.mean), conditionAt(target, given.mean));
    // Averaged over h_{t-1} the squared distance of the two means grows by its slope squared times the variance.
    return sum + atMean + ((own.scale - target.scale) ** 2 * given.variance) / (2 * target.variance);
  }, 0);
}

/**
 * The ELBO of one x by sampling: the mean of `ln p(x, h_1:T) - ln q(h_1:T | x)` over chains from the encoder.
 *
 * @throws Error if the chains have different lengths, or there are fewer than two draws
 */
export function elboMonteCarlo(vae: HierarchicalVae, x: number, options: DrawOptions): Estimate {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const noise = drawNormals(encoder.length, options);
  return estimate(options.draws, (i) => {
    let [h, sum] = [x, 0];
    encoder.forEach((conditional, t) => {
      const q = conditionAt(conditional, h);
      const next = q.mean + Math.sqrt(q.variance) * noise[t][i];
      sum += logDensity(h, conditionAt(decoder[t], next)) - logDensity(next, q);
      h = next;
    });
    return sum + logDensity(h, prior);
  });
}
