/**
 * Scales a notebook's number of steps by the environment variable `TSDIFFUSION_BUDGET` (a fraction, default 1), so that
 * the same notebook runs in full on a desk and in short in an automatic check.
 *
 * @throws when the variable is not a number in (0, 1].
 */
export function budget(steps: number): number {
  const text = process.env.TSDIFFUSION_BUDGET ?? '1';
  const fraction = Number(text);
  if (!(fraction > 0 && fraction <= 1)) {
    throw new Error(`TSDIFFUSION_BUDGET = '${text}': use a fraction in (0, 1], such as 0.1.`);
  }
  return Math.max(1, Math.round(steps * fraction));
}
