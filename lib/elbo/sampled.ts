/** Both forms of the ELBO for any denoiser, in any dimension: by sampling, since nothing is closed form any more. */
import { epsMeanCoefficients, posteriorMean, qStep, type Denoiser, type Schedule } from '../diffusion';
import { tf, type Generator } from '../engine';

/** Draws of each term, nats: in every list one number for each row of x0. Steps as in `ElboTerms`. */
export interface SampledTerms {
  /** `ln p(x_0 | x_1)`. */
  reconstruction: Float64Array;
  /** The notes' form: `ln q(h_t | h_{t-1}) - ln p(h_t | h_{t+1})`, and `KL(q(h_T | h_{T-1}) || N(0, I))`. */
  consistency: { prior: Float64Array; steps: Float64Array[] };
  /** The trained form: `KL(q(h_t | h_{t+1}, x_0) || p(h_t | h_{t+1}))`, and `KL(q(h_T | x_0) || N(0, I))`. */
  matching: { prior: Float64Array; steps: Float64Array[] };
}

/**
 * Draws one chain for each data point and evaluates every term of both forms along it. Take the mean over rows; to
 * study a single x_0 repeat it. Costs T calls of the denoiser.
 *
 * @param o.x0 points `[B, D]`
 * @param o.variance of the steps back: beta_t, or the posterior's (at t = 0, where that is 0, beta_0)
 * @throws Error if x0 is not `[B, D]`
 * @see Luo 2022 (arXiv 2208.11970), eqs. 43 and 57; notes: "Optimizing the variational diffusion model"
 */
export async function sampledTerms(o: {
  denoiser: Denoiser;
  schedule: Schedule;
  x0: tf.Tensor2D;
  generator: Generator;
  variance?: 'beta' | 'posterior';
}): Promise<SampledTerms> {
  const { denoiser, schedule, x0, generator, variance = 'beta' } = o;
  if (x0.rank !== 2) throw new Error(`x0 has shape [${x0.shape}]: it must be points [B, D].`);
  const { T, betas, alphas, posteriorVariance } = schedule;
  const [count, dims] = x0.shape;
  const isotropic = logNormalOf(dims);
  const back: Float64Array[] = [];
  const forth: Float64Array[] = [];
  const matching: Float64Array[] = [];
  let xPrev = x0.clone();
  let lastButOne = new Float64Array(count);
  for (let t = 0; t < T; t++) {
    const sigmaSquared = variance === 'posterior' && t > 0 ? posteriorVariance[t] : betas[t];
    const c = epsMeanCoefficients(schedule, t);
    const { xt, squares } = tf.tidy(() => {
      const steps = tf.fill([count], t, 'int32') as tf.Tensor1D;
      const z = generator.fork('eps', t).normal([count, dims]) as tf.Tensor2D;
      const next = qStep({ schedule, xPrev, t: steps, eps: z });
      const mean = next.mul(c.xt).add(denoiser(next, steps).mul(c.eps));
      const target = posteriorMean<tf.Tensor>({ schedule, x0, xt: next, t: steps });
      const differences = [xPrev.sub(mean), z, target.sub(mean), xPrev];
      return { xt: next, squares: tf.stack(differences).square().sum(2) };
    });
    const values = Float64Array.from(await squares.data());
    squares.dispose();
    const [toMean, noise, apart, size] = [0, 1, 2, 3].map((i) => values.slice(i * count, (i + 1) * count));
    back.push(toMean.map((square) => isotropic(square, sigmaSquared)));
    forth.push(noise.map((square) => isotropic(square * betas[t], betas[t])));
    if (t > 0) {
      const ratio = posteriorVariance[t] / sigmaSquared;
      const constant = (dims / 2) * (ratio - 1 - Math.log(ratio));
      matching.push(apart.map((square) => constant + square / (2 * sigmaSquared)));
    }
    lastButOne = size;
    xPrev.dispose();
    xPrev = xt;
  }
  xPrev.dispose();
  const points = Float64Array.from(await x0.data());
  const start = Float64Array.from({ length: count }, (_, i) =>
    points.subarray(i * dims, (i + 1) * dims).reduce((sum, x) => sum + x * x, 0),
  );
  const abar = schedule.abar[T - 1];
  return {
    reconstruction: back[0],
    consistency: {
      prior: lastButOne.map((square) => toStandard(alphas[T - 1], square, dims)),
      steps: forth.slice(0, -1).map((own, t) => own.map((value, i) => value - back[t + 1][i])),
    },
    matching: { prior: start.map((square) => toStandard(abar, square, dims)), steps: matching },
  };
}

/** `ln N(x; mean, variance I)` in `dims` dimensions, from `|x - mean|^2`. */
function logNormalOf(dims: number): (square: number, variance: number) => number {
  return (square, variance) => -0.5 * (dims * Math.log(2 * Math.PI * variance) + square / variance);
}

/** `KL(N(sqrt(a) x, (1 - a) I) || N(0, I))` from `|x|^2`. */
function toStandard(a: number, square: number, dims: number): number {
  return 0.5 * (a * square - dims * (a + Math.log1p(-a)));
}
