/** Terms of the ELBO for any denoiser, by sampling: against the closed form, and against a known density. */
import { createGenerator, tf } from '../../lib/engine';
import { gatherSchedule, linearSchedule, type Denoiser } from '../../lib/diffusion';
import { drawMixture, type GaussianMixture } from '../../lib/datasets';
import {
  consistencyTerms,
  diffusionVae,
  estimate,
  matchingTerms,
  optimalEps,
  sampledTerms,
} from '../../lib/elbo';
import { mixtureDenoiser, mixtureLogDensity } from '../../lib/oracle';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const summary = (values: Float64Array) => estimate(values.length, (i) => values[i]);
const schedule = linearSchedule({ T: 12, betaStart: 0.02, betaEnd: 0.4 });

describe.each(['beta', 'posterior'] as const)('variance %s', (variance) => {
  test('a line as denoiser: each term is its closed form within four standard errors', async () => {
    const lines = Array.from(schedule.betas, (_, t) => {
      const { slope } = optimalEps(schedule, t, { mean: 0.4, variance: 0.3 });
      return { slope: 0.8 * slope, offset: 0.1 };
    });
    const slopes = lines.map(({ slope }) => slope);
    const denoiser: Denoiser = (xt, t) =>
      tf.tidy(() => xt.mul(gatherSchedule(slopes, t, xt.rank)).add(lines[0].offset));
    const vae = diffusionVae(schedule, lines, variance);
    const x0 = tf.fill([20_000, 1], 0.7) as tf.Tensor2D;
    const drawn = await sampledTerms({ denoiser, schedule, x0, variance, generator: createGenerator(1) });
    x0.dispose();
    const forms = [
      [drawn.consistency, consistencyTerms(vae, 0.7)],
      [drawn.matching, matchingTerms(vae, 0.7)],
    ] as const;
    for (const [sampled, exact] of forms) {
      const pairs: [Float64Array, number][] = [
        [drawn.reconstruction, exact.reconstruction],
        [sampled.prior, exact.prior],
        ...sampled.steps.map((values, t): [Float64Array, number] => [values, exact.steps[t]]),
      ];
      expect(sampled.steps.length).toBe(schedule.T - 1);
      for (const [values, truth] of pairs) {
        const { mean, standardError } = summary(values);
        expect(Math.abs(mean - truth)).toBeLessThan(4 * standardError + 1e-6);
        expect(standardError).toBeLessThan(0.02);
      }
    }
  });
});

test('a mixture in the plane and its best denoiser: the forms agree, below the entropy of the data', async () => {
  const mixture: GaussianMixture = {
    weights: [0.5, 0.5],
    means: [
      [1, 0],
      [-1, 0.5],
    ],
    std: 0.5,
  };
  const fine = linearSchedule({ T: 100, rescale: true });
  const points = drawMixture(mixture, 4000, createGenerator(2));
  const x0 = tf.tensor2d(points, [4000, 2]);
  const denoiser = mixtureDenoiser({ mixture, schedule: fine });
  const drawn = await sampledTerms({ denoiser, schedule: fine, x0, generator: createGenerator(3) });
  x0.dispose();
  const elbo = ({ prior, steps }: { prior: Float64Array; steps: Float64Array[] }) =>
    drawn.reconstruction.map((value, i) => value - prior[i] - steps.reduce((sum, step) => sum + step[i], 0));
  const [a, b] = [elbo(drawn.consistency), elbo(drawn.matching)];
  const difference = summary(a.map((value, i) => value - b[i]));
  expect(Math.abs(difference.mean)).toBeLessThan(4 * difference.standardError);
  // Row by row ln p(x_0) - ELBO, so that the spread of the data drops out.
  const gap = summary(
    a.map((value, i) => mixtureLogDensity(mixture, [points[2 * i], points[2 * i + 1]]) - value),
  );
  expect(gap.mean).toBeGreaterThan(0);
  expect(gap.mean).toBeLessThan(0.1);
});

test('points only', async () => {
  const x0 = tf.zeros([2, 2, 2, 1]) as unknown as tf.Tensor2D;
  const denoiser: Denoiser = (xt) => tf.zerosLike(xt);
  const drawn = sampledTerms({ denoiser, schedule, x0, generator: createGenerator(0) });
  await expect(drawn).rejects.toThrow(/\[B, D\]/);
  x0.dispose();
});
