/** DDIM between determinism and DDPM: what eta does. */
import { Generator, createGenerator } from '../../lib/engine';
import { cosineSchedule, linearSchedule } from '../../lib/diffusion';
import { ddim, ddpm, timesteps } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { base, trace, numbers, largestDifference, Trace } from '../helpers/samplers';

expectNoLeaks();

describe('between determinism and DDPM', () => {
  const schedule = linearSchedule({ T: 100, rescale: true });
  const choices = [false, true].flatMap((clipDenoised) =>
    [undefined, timesteps({ T: 100, steps: 9 })].map((list) => ({ clipDenoised, timesteps: list })),
  );

  test.each(choices)('eta 1 is DDPM with the posterior variance, state by state: %p', async (choice) => {
    const options = { ...base(), schedule, ...choice };
    const [a, b] = [
      await trace(ddim, { ...options, eta: 1 }),
      await trace(ddpm, { ...options, variance: 'posterior' }),
    ];
    expect(a).toHaveLength(b.length);
    a.forEach(({ xt }, i) => {
      const scale = Math.max(1, ...xt.map(Math.abs)); // without clipping, this denoiser runs away
      expect(largestDifference(xt, b[i].xt)).toBeLessThan(1e-5 * scale);
    });
  });

  test('and is not DDPM with sqrt(beta), nor is eta 0', async () => {
    const options = { ...base(), schedule, timesteps: timesteps({ T: 100, steps: 9 }), clipDenoised: true };
    const nearTheEnd = async (states: Promise<Trace>) => (await states)[7].xt;
    const one = await nearTheEnd(trace(ddim, { ...options, eta: 1 }));
    const beta = await nearTheEnd(trace(ddpm, { ...options, variance: 'beta' }));
    const zero = await nearTheEnd(trace(ddim, options));
    expect(largestDifference(one, beta)).toBeGreaterThan(0.01);
    expect(largestDifference(one, zero)).toBeGreaterThan(0.01);
  });

  test('eta 0, the default, is deterministic: the same bits, and no random number after x_T', async () => {
    const asked: string[] = [];
    const spy = (generator: Generator, path: string): Generator => ({
      ...generator,
      key: generator.key,
      fork: (...more) => spy(generator.fork(...more), [path, ...more].join(' ').trim()),
      normal: (shape, options) => {
        asked.push(path);
        return generator.normal(shape, options);
      },
    });
    const first = await numbers({ ...base(), schedule, sampler: 'ddim' });
    expect(await numbers({ ...base(), schedule, sampler: 'ddim', eta: 0 })).toEqual(first);
    const spied = { ...base(), schedule, sampler: 'ddim' as const, generator: spy(createGenerator(7), '') };
    expect(await numbers(spied)).toEqual(first);
    expect(asked).toEqual(['x_T']);
  });

  test('eta above 0 takes fresh noise in each step but the last, from streams named by t', async () => {
    const other = await numbers({ ...base(), sampler: 'ddim', eta: 1, generator: createGenerator(8) });
    const one = await numbers({ ...base(), sampler: 'ddim', eta: 1 });
    expect(await numbers({ ...base(), sampler: 'ddim', eta: 1 })).toEqual(one);
    expect(other).not.toEqual(one);
  });

  test('stays finite with clipping on the cosine schedule, whose last x0 gain is 20,291', async () => {
    for (const eta of [0, 1]) {
      const last = (
        await trace(ddim, { ...base(), schedule: cosineSchedule(), clipDenoised: true, eta })
      ).pop();
      for (const x of last?.xt ?? [NaN]) expect(Math.abs(x)).toBeLessThanOrEqual(1);
    }
  });
});
