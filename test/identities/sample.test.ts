/** `sample`: points and images, its noise, its batches, its samplers, its random numbers. */
import { createGenerator, tf } from '../../lib/engine';
import { Denoiser } from '../../lib/diffusion';
import { SampleOptions, Sampler, ddim, ddpm, sample } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { toy, base, trace, numbers, values } from '../helpers/samplers';

expectNoLeaks();

describe('sample', () => {
  const points: SampleOptions = {
    denoiser: (xt) => xt.mul(-2),
    schedule: toy,
    shape: [5, 2],
    generator: createGenerator(3),
  };

  test('draws points, and does not clamp them unless told where', async () => {
    const free = await numbers(points);
    expect(free).toHaveLength(10);
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(2.5);
    const clamped = await numbers({ ...points, clipRange: [-0.5, 2.5] });
    expect(clamped).toEqual(free.map((x) => Math.max(-0.5, Math.min(2.5, x))));
  });

  test('clips x0Hat of points, and images, to the given range on the way', async () => {
    for (const options of [points, base()])
      for (const run of [ddim, ddpm]) {
        const states = await trace(run, {
          ...options,
          denoiser: (xt) => xt.mul(-2),
          clipDenoised: true,
          clipRange: [-0.25, 0.5],
        });
        const seen = states.flatMap(({ x0Hat }) => x0Hat);
        expect(Math.min(...seen)).toBe(-0.25);
        expect(Math.max(...seen)).toBe(0.5);
      }
  });

  test('begins with the noise that is given, cut like the batches, and leaves it to the caller', async () => {
    const xT = base().generator.fork('x_T').normal([5, 3, 2, 1]);
    for (const choice of [{ sampler: 'ddpm' }, { sampler: 'ddim', eta: 0.5 }] as const) {
      const options: SampleOptions = {
        ...base(),
        ...choice,
        denoiser: (xt) => xt.mul(0.8),
        shape: [5, 3, 2, 1],
      };
      const drawn = await numbers(options);
      expect(await numbers({ ...options, xT })).toEqual(drawn);
      expect(await numbers({ ...options, xT, batchSize: 2 })).toEqual(drawn);
    }
    const zeros = tf.zeros([5, 3, 2, 1]);
    const still = await numbers({
      ...base(),
      shape: [5, 3, 2, 1],
      xT: zeros,
      sampler: 'ddim',
      denoiser: (x) => x,
    });
    expect(new Set(still.map(Math.abs))).toEqual(new Set([0]));
    tf.dispose([xT, zeros]);
  });

  test('takes a sampler as a function, with its own options', async () => {
    const stiff: Sampler = (options) => ddim({ ...options, eta: 0.5, timesteps: [2, 0] });
    expect(await numbers({ ...base(), sampler: stiff, timesteps: [2, 0] })).toEqual(
      await numbers({ ...base(), sampler: 'ddim', eta: 0.5, timesteps: [2, 0] }),
    );
  });

  test('a preset recipe, which names a variance, does for ddim too', async () => {
    const plain = await numbers({ ...base(), sampler: 'ddim' });
    expect(await numbers({ ...base(), sampler: 'ddim', variance: 'beta' })).toEqual(plain);
  });

  test('sample i does not depend on the batch, and the steps of all batches are counted', async () => {
    for (const choice of [{ sampler: 'ddpm' }, { sampler: 'ddim', eta: 0.5 }] as const) {
      const reports: string[] = [];
      // Exact in every lane of the processor, as sin is not: the comparison can be of bits.
      const denoiser: Denoiser = (xt) => xt.mul(0.8);
      const options = { ...base(), ...choice, denoiser, shape: [5, 3, 2, 1], timesteps: [3, 1] };
      const whole = await numbers(options);
      const cut = await numbers({
        ...options,
        batchSize: 2,
        onStep: (_, { step, steps, firstSample }) => void reports.push(`${step}/${steps} #${firstSample}`),
      });
      expect(cut).toEqual(whole);
      expect(reports).toEqual(['1/6 #0', '2/6 #0', '3/6 #2', '4/6 #2', '5/6 #4', '6/6 #4']);
      expect(await numbers({ ...options, shape: [2, 3, 2, 1], firstSample: 3 })).toEqual(whole.slice(18));
    }
  });

  test('makes at most 64 images in one call of the denoiser, but all points', async () => {
    const sizes: number[] = [];
    const denoiser: Denoiser = (xt) => {
      sizes.push(xt.shape[0]);
      return xt.mul(0.5);
    };
    await numbers({ ...base(), denoiser, shape: [130, 1, 1, 1], sampler: 'ddim', timesteps: [2] });
    await numbers({ ...points, denoiser, shape: [130, 2], timesteps: [2] });
    expect(sizes).toEqual([64, 64, 2, 130]);
  });

  test('returns the last state clamped to [-1, 1]', async () => {
    const raw = (await trace(ddpm, base())).at(-1)!.xt;
    expect(Math.max(...raw.map(Math.abs))).toBeGreaterThan(1);
    const images = await sample(base());
    expect(images.shape).toEqual([2, 3, 2, 1]);
    expect(values(images)).toEqual(raw.map((x) => Math.max(-1, Math.min(1, x))));
    images.dispose();
  });

  test('reports every step of every batch, and waits for the report', async () => {
    const reports: string[] = [];
    let busy = false;
    const images = await sample({
      ...base(),
      batchSize: 1,
      onStep: async ({ t, xt }, { step, steps, firstSample }) => {
        expect(busy).toBe(false);
        busy = true;
        await new Promise((resolve) => setTimeout(resolve, 1));
        expect(xt.shape).toEqual([1, 3, 2, 1]);
        reports.push(`${step}/${steps} t=${t} #${firstSample}`);
        busy = false;
      },
    });
    images.dispose();
    const first = ['1/8 t=3 #0', '2/8 t=2 #0', '3/8 t=1 #0', '4/8 t=0 #0'];
    const second = ['5/8 t=3 #1', '6/8 t=2 #1', '7/8 t=1 #1', '8/8 t=0 #1'];
    expect(reports).toEqual([...first, ...second]);
  });
});

describe('randomness', () => {
  const run = (options: Partial<SampleOptions>) => numbers({ ...base(), ...options });

  test('one seed, twice: the same bits; another seed: other images', async () => {
    const first = await run({});
    expect(await run({})).toEqual(first);
    expect(await run({ generator: createGenerator(8) })).not.toEqual(first);
  });

  test('image i is the same in a batch of 3 and in a batch of 8', async () => {
    const [three, eight] = [await run({ shape: [3, 3, 2, 1] }), await run({ shape: [8, 3, 2, 1] })];
    expect(three).toEqual(eight.slice(0, 18));
    const images = Array.from({ length: 8 }, (_, i) => String(eight.slice(6 * i, 6 * i + 6)));
    expect(new Set(images).size).toBe(8);
  });

  test('firstSample continues a series, and batchSize only cuts it', async () => {
    const eight = await run({ shape: [8, 3, 2, 1] });
    expect(await run({ shape: [5, 3, 2, 1], firstSample: 3 })).toEqual(eight.slice(18));
    expect(await run({ shape: [8, 3, 2, 1], batchSize: 3 })).toEqual(eight);
    expect(await run({ shape: [8, 3, 2, 1], batchSize: 100 })).toEqual(eight);
  });
});
