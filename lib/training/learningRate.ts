/** The step size as a function of the step. */

/** Learning rate at step 0, 1, 2, ... */
export type LearningRate = (step: number) => number;

/**
 * Rises linearly to `peak` over the first `warmup` steps, then falls along a half cosine to 0 at `total`
 * (Loshchilov & Hutter 2016, arXiv 1608.03983, eq. 5). Made for short runs: large steps first, fine ones at the end.
 *
 * @throws when `total` is not more than `warmup`.
 */
export function warmupCosine(options: { peak: number; warmup: number; total: number }): LearningRate {
  const { peak, warmup, total } = options;
  if (!(total > warmup)) throw new Error(`total = ${total} steps must be more than warmup = ${warmup}.`);
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const progress = Math.min(1, (step - warmup) / (total - warmup));
    return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}
