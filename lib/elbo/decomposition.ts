/**
 * The two ways to split the ELBO of a chain into terms (notes: "Optimizing the variational diffusion model"; Luo 2022,
 * arXiv 2208.11970, eqs. 34-45 and 46-58). Both add up to the same number:
 *
 *     ELBO = reconstruction - prior - sum(steps)
 *
 * All in nats. Levels as in `hierarchical.ts`; for a diffusion model level t + 1 is x_t after step t.
 */
import { drawNormals, estimate, type DrawOptions, type Estimate } from './estimate';
import {
  conditionAt,
  entropy,
  klDivergence,
  logDensity,
  reverseConditional,
  type Gaussian,
} from '../gaussian';
import { checkVae, encoderMarginals, expectedConditional, type HierarchicalVae } from './hierarchical';

export interface ElboTerms {
  /** `E[ln p(x | h_1)]`. */
  reconstruction: number;
  /** The KL to `p(h_T)`: what a wrong start of sampling costs. */
  prior: number;
  /** One term for each of h_1..h_{T-1}. */
  steps: number[];
}

/** `reconstruction - prior - sum(steps)`. */
export function sumOfTerms({ reconstruction, prior, steps }: ElboTerms): number {
  return reconstruction - prior - steps.reduce((sum, term) => sum + term, 0);
}

function reconstructionTerm({ decoder }: HierarchicalVae, x: number, first: Gaussian): number {
  return expectedConditional(decoder[0], { mean: x, variance: 0 }, first, 0);
}

/** `E_h[KL(q(. | h) || p)]` for a conditional that is linear in the Gaussian h. */
function expectedKl(
  q: { scale: number; offset: number; variance: number },
  p: { scale: number; offset: number; variance: number },
  h: Gaussian,
): number {
  const atMean = klDivergence(conditionAt(q, h.mean), conditionAt(p, h.mean));
  return atMean + ((q.scale - p.scale) ** 2 * h.variance) / (2 * p.variance);
}

/**
 * The notes' form, exact: each step compares one step of noise with one step back,
 * `E[ln q(h_t | h_{t-1}) - ln p(h_t | h_{t+1})]`, the mean over h_{t-1}, h_t and h_{t+1} as the encoder draws them.
 *
 * The notes write this as the mean over (h_{t-1}, h_{t+1}) of `KL(q(h_t | h_{t-1}) || p(h_t | h_{t+1}))`. That is another
 * number: within the KL h_t is drawn anew from h_{t-1}, and no longer belongs to h_{t+1}. `independent: true` computes
 * it, for comparison; with it the terms do not add up to the ELBO.
 *
 * @throws Error if the chains have different lengths, or a variance is not above 0
 */
export function consistencyTerms(
  vae: HierarchicalVae,
  x: number,
  { independent = false }: { independent?: boolean } = {},
): ElboTerms {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const q = encoderMarginals(vae, x);
  const last = q.length - 1;
  const below = (t: number): Gaussian => (t === 0 ? { mean: x, variance: 0 } : q[t - 1]);
  const fixed = { scale: 0, offset: prior.mean, variance: prior.variance };
  return {
    reconstruction: reconstructionTerm(vae, x, q[0]),
    prior: expectedKl(encoder[last], fixed, below(last)),
    steps: q.slice(0, last).map((own, t) => {
      const spread = independent ? encoder[t].scale ** 2 * below(t).variance : own.variance;
      const back = expectedConditional(decoder[t + 1], own, q[t + 1], encoder[t + 1].scale * spread);
      return -entropy({ mean: 0, variance: encoder[t].variance }) - back;
    }),
  };
}

/**
 * The form that is trained, exact: each step back is compared with the encoder's own posterior,
 * `E_{q(h_{t+1} | x)}[KL(q(h_t | h_{t+1}, x) || p(h_t | h_{t+1}))]`.
 *
 * @throws Error if the chains have different lengths, or a variance is not above 0
 * @see Ho et al. 2020 (arXiv 2006.11239), eq. 5
 */
export function matchingTerms(vae: HierarchicalVae, x: number): ElboTerms {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const q = encoderMarginals(vae, x);
  return {
    reconstruction: reconstructionTerm(vae, x, q[0]),
    prior: klDivergence(q[q.length - 1], prior),
    steps: q
      .slice(0, -1)
      .map((own, t) => expectedKl(reverseConditional(own, encoder[t + 1]), decoder[t + 1], q[t + 1])),
  };
}

/** The ELBO by the notes' form from sampled chains: one chain, one draw. @throws Error for fewer than two draws */
export function consistencyEstimate(vae: HierarchicalVae, x: number, options: DrawOptions): Estimate {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const last = encoder.length - 1;
  const noise = drawNormals(encoder.length, options);
  return estimate(options.draws, (i) => {
    const h = [x];
    encoder.forEach((conditional, t) => {
      const { mean, variance } = conditionAt(conditional, h[t]);
      h.push(mean + Math.sqrt(variance) * noise[t][i]);
    });
    let sum = logDensity(x, conditionAt(decoder[0], h[1]));
    sum -= klDivergence(conditionAt(encoder[last], h[last]), prior);
    for (let t = 1; t <= last; t++) {
      sum += logDensity(h[t], conditionAt(decoder[t], h[t + 1]));
      sum -= logDensity(h[t], conditionAt(encoder[t - 1], h[t - 1]));
    }
    return sum;
  });
}

/**
 * The ELBO by the trained form: one draw of each h_t from q(h_t | x), and a closed KL at each. @throws Error for fewer
 * than two draws
 */
export function matchingEstimate(vae: HierarchicalVae, x: number, options: DrawOptions): Estimate {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  const q = encoderMarginals(vae, x);
  const noise = drawNormals(encoder.length, options);
  const posteriors = q.slice(0, -1).map((own, t) => reverseConditional(own, encoder[t + 1]));
  const priorTerm = klDivergence(q[q.length - 1], prior);
  return estimate(options.draws, (i) => {
    const h = q.map(({ mean, variance }, t) => mean + Math.sqrt(variance) * noise[t][i]);
    let sum = logDensity(x, conditionAt(decoder[0], h[0])) - priorTerm;
    posteriors.forEach((posterior, t) => {
      sum -= klDivergence(conditionAt(posterior, h[t + 1]), conditionAt(decoder[t + 1], h[t + 1]));
    });
    return sum;
  });
}

/**
 * One step of the notes' form by sampling, nats: draws of `ln q(h_t | h_{t-1}) - ln p(h_t | h_{t+1})`, whose mean is
 * `consistencyTerms(...).steps[step]`.
 *
 * @throws Error if there is no such step, or fewer than two draws
 */
export function consistencyStepEstimate(
  vae: HierarchicalVae,
  x: number,
  step: number,
  options: DrawOptions,
): Estimate {
  checkVae(vae);
  const { decoder, encoder } = vae;
  checkStep(vae, step);
  const start = step === 0 ? { mean: x, variance: 0 } : encoderMarginals(vae, x)[step - 1];
  const noise = drawNormals(3, options);
  const draw = ({ mean, variance }: Gaussian, z: number): number => mean + Math.sqrt(variance) * z;
  return estimate(options.draws, (i) => {
    const below = draw(start, noise[0][i]);
    const forward = conditionAt(encoder[step], below);
    const h = draw(forward, noise[1][i]);
    const above = draw(conditionAt(encoder[step + 1], h), noise[2][i]);
    return logDensity(h, forward) - logDensity(h, conditionAt(decoder[step + 1], above));
  });
}

/**
 * One step of the trained form by sampling, nats: draws of the KL at h_{t+1} ~ q(h_{t+1} | x), whose mean is
 * `matchingTerms(...).steps[step]`.
 *
 * @throws Error if there is no such step, or fewer than two draws
 */
export function matchingStepEstimate(
  vae: HierarchicalVae,
  x: number,
  step: number,
  options: DrawOptions,
): Estimate {
  checkVae(vae);
  checkStep(vae, step);
  const q = encoderMarginals(vae, x);
  const posterior = reverseConditional(q[step], vae.encoder[step + 1]);
  const { mean, variance } = q[step + 1];
  const [noise] = drawNormals(1, options);
  return estimate(options.draws, (i) => {
    const h = mean + Math.sqrt(variance) * noise[i];
    return klDivergence(conditionAt(posterior, h), conditionAt(vae.decoder[step + 1], h));
  });
}

function checkStep({ encoder }: HierarchicalVae, step: number): void {
  if (!(Number.isInteger(step) && step >= 0 && step < encoder.length - 1)) {
    throw new Error(
      `step is ${step}: a chain of ${encoder.length} levels has the steps 0..${encoder.length - 2}.`,
    );
  }
}
