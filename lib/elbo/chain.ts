/** A Markovian hierarchical VAE in one dimension whose steps back may bend: what the best denoiser of a mixture does. */
import { epsMeanCoefficients, type Schedule } from '../diffusion';
import { conditionAt, type Gaussian, type LinearGaussian } from '../gaussian';
import { checkVae, type HierarchicalVae } from './hierarchical';

/** As `HierarchicalVae`, but each step of the decoder is any function: `decoder[t](h_{t+1})` is `p(h_t | h_{t+1})`. */
export interface ChainModel {
  prior: Gaussian;
  decoder: readonly ((h: number) => Gaussian)[];
  encoder: readonly LinearGaussian[];
}

/**
 * A linear chain as the special case that it is.
 *
 * @throws Error if the chains have different lengths
 */
export function chainOf(vae: HierarchicalVae): ChainModel {
  checkVae(vae);
  const { prior, decoder, encoder } = vae;
  return { prior, encoder, decoder: decoder.map((step) => (h) => conditionAt(step, h)) };
}

/**
 * A diffusion model with any denoiser, as a chain: the encoder `q(x_t | x_{t-1}) = N(sqrt(alpha_t) x_{t-1}, beta_t)`, the
 * prior N(0, 1), and `p(x_{t-1} | x_t) = N((x_t - beta_t / sqrt(1 - abar_t) eps(x_t, t)) / sqrt(alpha_t), sigma_t^2)`.
 *
 * @param eps the denoiser on float64 numbers, for example `oracle.at({ schedule, xt: [x], t }).eps[0]`
 * @param variance `sigma_t^2`: beta_t, or the posterior's (at t = 0, where that is 0, beta_0)
 * @see Ho et al. 2020 (arXiv 2006.11239), eqs. 1, 2 and 11; notes: "Gaussian modeling"
 */
export function diffusionChain(
  schedule: Schedule,
  eps: (xt: number, t: number) => number,
  variance: 'beta' | 'posterior' = 'beta',
): ChainModel {
  const { T, alphas, betas, posteriorVariance } = schedule;
  const steps = Array.from({ length: T }, (_, t) => t);
  return {
    prior: { mean: 0, variance: 1 },
    encoder: steps.map((t) => ({ scale: Math.sqrt(alphas[t]), offset: 0, variance: betas[t] })),
    decoder: steps.map((t) => {
      const mean = epsMeanCoefficients(schedule, t);
      const sigmaSquared = variance === 'posterior' && t > 0 ? posteriorVariance[t] : betas[t];
      return keepLast((xt) => ({ mean: mean.xt * xt + mean.eps * eps(xt, t), variance: sigmaSquared }));
    }),
  };
}

/** The same function, which remembers its last answer: on a grid of chains the same h comes many times in a row. */
function keepLast(f: (h: number) => Gaussian): (h: number) => Gaussian {
  let [last, answer] = [NaN, { mean: NaN, variance: NaN }];
  return (h) => {
    if (h !== last) [last, answer] = [h, f(h)];
    return answer;
  };
}
