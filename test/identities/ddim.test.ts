/** DDIM step by step: its numbers, its place between determinism and DDPM, its step lists, its memory. */
import { Generator, createGenerator, tf } from '../../lib/engine';
import { Denoiser, cosineSchedule, linearSchedule, scheduleFromBetas } from '../../lib/diffusion';
import {
  DdimOptions,
  SampleOptions,
  Sampler,
  SamplingState,
  ddim,
  ddimCoefficients,
  ddpm,
  respace,
  sample,
  timesteps,
} from '../../lib/sampling';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const values = (x: tf.Tensor) => Array.from(x.dataSync());

/** Works on each number alone. */
const elementwise: Denoiser = (xt, t) =>
  xt
    .mul(0.8)
    .add(t.toFloat().mul(0.01).reshape([-1, 1, 1, 1]))
    .sin();
const constant =
  (eps: number): Denoiser =>
  (xt) =>
    tf.fill(xt.shape, eps);

const base = (): DdimOptions => ({
  denoiser: elementwise,
  schedule: toy,
  shape: [2, 3, 2, 1],
  generator: createGenerator(7),
});

/** A generator whose normal numbers are all one value for each stream: x_T as given, t for step t. */
function scripted(xT: number): Generator {
  const at = (path: (string | number)[]): Generator => ({
    ...createGenerator(0),
    key: [0, 0],
    fork: (...more) => at([...path, ...more]),
    normal: (shape) => tf.fill(shape, path[0] === 'z' ? Number(path[1]) : xT),
  });
  return at([]);
}

type Trace = { t: number; tPrev: number; xt: number[]; x0Hat: number[]; nfe: number }[];

async function trace<O extends DdimOptions>(sampler: Sampler<O>, options: O): Promise<Trace> {
  const states: Trace = [];
  for await (const { xt, x0Hat, ...rest } of sampler(options))
    states.push({ ...rest, xt: values(xt), x0Hat: values(x0Hat) });
  return states;
}

async function numbers(options: SampleOptions): Promise<number[]> {
  const result = await sample(options);
  const found = values(result);
  result.dispose();
  return found;
}

const largestDifference = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

expectNoLeaks();

describe('ddimCoefficients', () => {
  const stride = respace(toy, [3, 1]); // step 1 of this schedule goes from t = 3 to t = 1

  test('of the stride 3 -> 1 of the toy: direction 0.529150 for eta 0, not 0', () => {
    const c = ddimCoefficients(stride, 1, 0);
    expect(c.x0).toBeCloseTo(Math.sqrt(0.72), 12);
    expect(c.eps).toBeCloseTo(0.52915, 6);
    expect(c.sigma).toBe(0);
  });

  test('eta counts linearly in sigma, and as a square in the direction', () => {
    const [half, full] = [ddimCoefficients(stride, 1, 0.5), ddimCoefficients(stride, 1, 1)];
    expect(half.sigma).toBeCloseTo(0.241246, 6);
    expect(half.eps).toBeCloseTo(0.470957, 6);
    expect(full.sigma).toBeCloseTo(2 * half.sigma, 12);
  });

  test('at the end of the list abarPrev is 1: x0Hat and nothing else, for any eta', () => {
    for (const eta of [0, 0.3, 1])
      for (const schedule of [toy, stride, linearSchedule()])
        expect(ddimCoefficients(schedule, 0, eta)).toEqual({ x0: 1, eps: 0, sigma: 0 });
  });

  test('with eta 1 the noise is that of the posterior', () => {
    const sigmas = [0, 1, 2, 3].map((t) => ddimCoefficients(toy, t, 1).sigma ** 2);
    [0, 0.0714286, 0.1693548, 0.2844037].forEach((v, t) => expect(sigmas[t]).toBeCloseTo(v, 7));
    for (const schedule of [linearSchedule(), cosineSchedule()])
      for (let t = 0; t < schedule.T; t++) {
        const { sigma } = ddimCoefficients(schedule, t, 1);
        expect(Math.abs(sigma ** 2 - schedule.posteriorVariance[t])).toBeLessThan(1e-12);
      }
  });

  /**
   * The reason why one network serves all: x_t = sqrt(abar) x_0 + sqrt(1 - abar) e goes to
   * sqrt(abarPrev) x_0 + eps e + sigma z, and the two noises together must have the variance 1 - abarPrev.
   */
  test('keep the marginal of the step below for every eta, to 1e-12', () => {
    for (const schedule of [toy, stride, linearSchedule(), cosineSchedule()])
      for (const eta of [0, 0.2, 0.5, 1])
        for (let t = 0; t < schedule.T; t++) {
          const c = ddimCoefficients(schedule, t, eta);
          expect(Math.abs(c.x0 ** 2 - schedule.abarPrev[t])).toBeLessThan(1e-12);
          expect(Math.abs(c.eps ** 2 + c.sigma ** 2 - (1 - schedule.abarPrev[t]))).toBeLessThan(1e-12);
        }
  });
});

describe('one step', () => {
  test('to the end of the list returns x0Hat: x = 0.3 and eps = -0.4 at t = 0 give 0.449561', async () => {
    for (const eta of [0, 0.5, 1]) {
      const options = { ...base(), generator: scripted(0.3), denoiser: constant(-0.4), timesteps: [0], eta };
      const [state] = await trace(ddim, options);
      for (const x of state.xt) expect(x).toBeCloseTo(0.449561, 5);
      expect(state.xt).toEqual(state.x0Hat);
    }
  });

  test('to the end from any step: no abar[0] is left over', async () => {
    const options = { ...base(), generator: scripted(0.3), timesteps: [2], eta: 0.5 };
    const [state] = await trace(ddim, options);
    expect(state.tPrev).toBe(-1);
    expect(state.xt).toEqual(state.x0Hat);
  });

  test('with clipping computes eps again: 1.450451, where the old eps gives 0.319378', async () => {
    const options = { ...base(), generator: scripted(1.5), denoiser: constant(-1), timesteps: [3, 1] };
    const [clipped] = await trace(ddim, { ...options, clipDenoised: true });
    for (const x of clipped.x0Hat) expect(x).toBe(1);
    for (const x of clipped.xt) expect(x).toBeCloseTo(1.450451, 5);
    const [free] = await trace(ddim, options);
    for (const x of free.x0Hat) expect(x).toBeCloseTo(4.246565, 5);
  });

  test('is sqrt(abarPrev) x0Hat + sqrt(1 - abarPrev - sigma^2) eps + sigma z', async () => {
    const eta = 0.7;
    const states = await trace(ddim, { ...base(), generator: scripted(0.5), eta, timesteps: [3, 1, 0] });
    let x = 0.5;
    for (const { t, tPrev, xt } of states) {
      const [abar, abarPrev] = [toy.abar[t], tPrev < 0 ? 1 : toy.abar[tPrev]];
      const eps = Math.sin(0.8 * x + 0.01 * t);
      const x0 = (x - Math.sqrt(1 - abar) * eps) / Math.sqrt(abar);
      const sigma = eta * Math.sqrt(((1 - abarPrev) / (1 - abar)) * (1 - abar / abarPrev));
      x = Math.sqrt(abarPrev) * x0 + Math.sqrt(1 - abarPrev - sigma ** 2) * eps + sigma * t;
      for (const found of xt) expect(found).toBeCloseTo(x, 5);
    }
  });
});

describe('step lists', () => {
  test.each([
    ['ddim', ddim],
    ['ddpm', ddpm],
  ] as const)('%s calls the denoiser with the entries of the list, not with their places', async (_, run) => {
    const seen: number[][] = [];
    const spy: Denoiser = (xt, t) => {
      expect(t.dtype).toBe('int32');
      seen.push(values(t));
      return elementwise(xt, t);
    };
    const list = [41, 17, 16, 3];
    const states = await trace(run, {
      ...base(),
      denoiser: spy,
      schedule: linearSchedule({ T: 50 }),
      timesteps: list,
    });
    expect(seen).toEqual(list.map((t) => [t, t]));
    expect(states.map(({ t }) => t)).toEqual(list);
    expect(states.map(({ tPrev }) => tPrev)).toEqual([17, 16, 3, -1]);
    expect(states.map(({ nfe }) => nfe)).toEqual([1, 2, 3, 4]);
  });

  test('ddpm in strides uses the beta of the stride: 0.58 from 3 to 1, not 0.4', async () => {
    const options = { ...base(), generator: scripted(0.5), denoiser: constant(0.2), timesteps: [3, 1] };
    for (const variance of ['beta', 'posterior'] as const) {
      const [{ xt }] = await trace(ddpm, { ...options, variance });
      const sigmaSquared = variance === 'beta' ? 0.58 : (0.58 * 0.28) / (1 - 0.3024);
      const mean = (0.5 - (0.58 / Math.sqrt(1 - 0.3024)) * 0.2) / Math.sqrt(0.42);
      for (const x of xt) expect(x).toBeCloseTo(mean + 3 * Math.sqrt(sigmaSquared), 5);
    }
  });

  test('the full list changes nothing', async () => {
    for (const choice of [{ sampler: 'ddpm' }, { sampler: 'ddim', eta: 0.5 }] as const) {
      const whole = await numbers({ ...base(), ...choice });
      expect(await numbers({ ...base(), ...choice, timesteps: [3, 2, 1, 0] })).toEqual(whole);
    }
  });
});

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
});

describe('memory', () => {
  const samplers = [
    ['ddim', ddim],
    ['ddpm', ddpm],
  ] as const;

  test.each(samplers)(
    '%s: a state lives until the next, and leaving early frees everything',
    async (_, run) => {
      const before = tf.memory().numTensors;
      for await (const { t } of run({ ...base(), timesteps: [3, 2, 0] })) if (t === 2) break;
      expect(tf.memory().numTensors).toBe(before);
      const chain = run({ ...base(), timesteps: [3, 1, 0] });
      const first = (await chain.next()).value as SamplingState;
      expect(values(first.xt).every(Number.isFinite)).toBe(true);
      await chain.next();
      expect(first.xt.isDisposed && first.x0Hat.isDisposed).toBe(true);
      await chain.return();
    },
  );

  test.each(samplers)('%s: the stop token ends the chain before its next step', async (_, run) => {
    const stop = createStopToken();
    const seen: number[] = [];
    for await (const { t } of run({ ...base(), timesteps: [3, 1, 0], stop })) {
      seen.push(t);
      if (t === 1) stop.stop();
    }
    expect(seen).toEqual([3, 1]);
    await expect(sample({ ...base(), stop, timesteps: [3, 1] })).rejects.toThrow(
      'stopped after 0 of 2 steps',
    );
  });

  test.each(samplers)(
    '%s: a denoiser that throws, or keeps its tensor, leaves nothing',
    async (name, run) => {
      const before = tf.memory().numTensors;
      const failing: Denoiser = (xt, t) => {
        if (values(t)[0] === 1) throw new Error('no idea');
        return elementwise(xt, t);
      };
      await expect(trace(run, { ...base(), denoiser: failing })).rejects.toThrow('no idea');
      await expect(sample({ ...base(), sampler: name, denoiser: failing, batchSize: 1 })).rejects.toThrow(
        'no idea',
      );
      expect(tf.memory().numTensors).toBe(before);
      const owned = tf.ones([2, 3, 2, 1]);
      await trace(run, { ...base(), denoiser: () => owned, clipDenoised: true });
      expect(owned.isDisposed).toBe(false);
      owned.dispose();
    },
  );
});
