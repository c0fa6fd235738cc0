/** The ancestral sampler step by step: its update, its order, its randomness, its memory. */
import { Generator, createGenerator, tf } from '../../lib/engine';
import {
  Denoiser,
  cosineSchedule,
  epsMeanCoefficients,
  linearSchedule,
  posteriorCoefficients,
  scheduleFromBetas,
  x0Coefficients,
} from '../../lib/diffusion';
import { DdpmOptions, SamplingState, ddpm, reverseSigma, sample } from '../../lib/sampling';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const values = (x: tf.Tensor) => Array.from(x.dataSync());

/** Works on each pixel alone, so that nothing can leak between the images of a batch. */
const elementwise: Denoiser = (xt, t) =>
  xt
    .mul(0.8)
    .add(t.toFloat().mul(0.01).reshape([-1, 1, 1, 1]))
    .sin() as tf.Tensor4D;

const base = (): DdpmOptions => ({
  denoiser: elementwise,
  schedule: toy,
  shape: [2, 3, 2, 1],
  generator: createGenerator(7),
});

/** A generator whose normal numbers are all one value for each stream: 0.5 for x_T, t for step t. */
function scripted(asked: string[]): Generator {
  const at = (path: (string | number)[]): Generator => ({
    ...createGenerator(0),
    key: [0, 0],
    fork: (...more) => at([...path, ...more]),
    normal: (shape, options) => {
      asked.push([...path, options?.firstSample ?? 0].join(' '));
      return tf.fill(shape, path[0] === 'z' ? Number(path[1]) : 0.5);
    },
  });
  return at([]);
}

/** Steps through a sampler; the tensors of each state as numbers. */
async function trace(options: DdpmOptions) {
  const states: { t: number; xt: number[]; x0Hat: number[]; nfe: number }[] = [];
  for await (const { t, xt, x0Hat, nfe } of ddpm(options)) {
    states.push({ t, xt: values(xt), x0Hat: values(x0Hat), nfe });
  }
  return states;
}

expectNoLeaks();

describe('the loop', () => {
  test('calls the denoiser exactly once at each of T - 1, ..., 0, with all samples at that int32 step', async () => {
    const seen: number[][] = [];
    const spy: Denoiser = (xt, t) => {
      expect(t.dtype).toBe('int32');
      seen.push(values(t));
      return elementwise(xt, t);
    };
    const states = await trace({ ...base(), denoiser: spy, schedule: linearSchedule({ T: 50 }) });
    const countdown = Array.from({ length: 50 }, (_, i) => 49 - i);
    expect(seen).toEqual(countdown.map((t) => [t, t]));
    expect(states.map(({ t }) => t)).toEqual(countdown);
    expect(states.map(({ nfe }) => nfe)).toEqual(countdown.map((t) => 50 - t));
  });

  test('draws x_T and one z a step, none at t = 0, each from its own stream at the first sample', async () => {
    const asked: string[] = [];
    await trace({ ...base(), generator: scripted(asked), firstSample: 64 });
    expect(asked).toEqual(['x_T 64', 'z 3 64', 'z 2 64', 'z 1 64']);
  });

  test.each(['beta', 'posterior'] as const)("makes the notes' update with sigma^2 = %s", async (variance) => {
    const eps = (x: number, t: number) => Math.sin(0.8 * x + 0.01 * t);
    const states = await trace({ ...base(), variance, generator: scripted([]) });
    let x = 0.5;
    for (const state of states) {
      const { t } = state;
      const [beta, abar] = [toy.betas[t], toy.abar[t]];
      const x0 = (x - Math.sqrt(1 - abar) * eps(x, t)) / Math.sqrt(abar);
      const sigma = Math.sqrt(variance === 'beta' ? beta : (beta * (1 - toy.abarPrev[t])) / (1 - abar));
      const mean = (x - (beta / Math.sqrt(1 - abar)) * eps(x, t)) / Math.sqrt(1 - beta);
      x = t > 0 ? mean + sigma * t : mean;
      for (const found of state.x0Hat) expect(found).toBeCloseTo(x0, 5);
      for (const found of state.xt) expect(found).toBeCloseTo(x, 5);
    }
  });

  test('adds nothing at the last step: its result is x0Hat', async () => {
    for (const variance of ['beta', 'posterior'] as const) {
      const last = (await trace({ ...base(), variance })).pop();
      last?.xt.forEach((x, i) => expect(x).toBeCloseTo(last.x0Hat[i], 5));
    }
  });

  test('clips x0Hat, and steps towards the clipped image, only when asked to', async () => {
    const wild: Denoiser = (xt) => xt.mul(-3) as tf.Tensor4D;
    const free = await trace({ ...base(), denoiser: wild, generator: scripted([]) });
    expect(Math.max(...free[0].x0Hat)).toBeGreaterThan(1);
    const clipped = await trace({ ...base(), denoiser: wild, generator: scripted([]), clipDenoised: true });
    let x = 0.5;
    for (const { t, xt, x0Hat } of clipped) {
      const toX0 = x0Coefficients(toy, t);
      const c = posteriorCoefficients(toy, t);
      const x0 = Math.max(-1, Math.min(1, toX0.xt * x + toX0.eps * -3 * x));
      x = c.x0 * x0 + c.xt * x + reverseSigma(toy, t, 'beta') * t;
      expect(x0Hat[0]).toBeCloseTo(x0, 5);
      expect(xt[0]).toBeCloseTo(x, 5);
    }
  });

  test('clipping changes nothing where there is nothing to clip', async () => {
    const schedule = linearSchedule({ T: 20 });
    // The noise that leads back to the image 0.1 x_t, far inside [-1, 1].
    const tame: Denoiser = (xt, t) => {
      const abar = schedule.abar[values(t)[0]];
      return xt.mul((1 - 0.1 * Math.sqrt(abar)) / Math.sqrt(1 - abar)) as tf.Tensor4D;
    };
    const free = await trace({ ...base(), schedule, denoiser: tame });
    const clipped = await trace({ ...base(), schedule, denoiser: tame, clipDenoised: true });
    free.forEach(({ xt }, i) =>
      xt.forEach((x, j) => expect(Math.abs(x - clipped[i].xt[j])).toBeLessThan(1e-5)),
    );
  });

  test('stays finite on the cosine schedule when clipped', async () => {
    const last = (await trace({ ...base(), schedule: cosineSchedule(), clipDenoised: true })).pop();
    for (const x of last?.xt ?? [NaN]) expect(Math.abs(x)).toBeLessThanOrEqual(1);
  });
});

describe('reverseSigma', () => {
  const linear = linearSchedule();
  test('is a standard deviation, not a variance', () => {
    expect(reverseSigma(linear, 500, 'beta')).toBeCloseTo(0.100299, 6);
    expect(reverseSigma(linear, 500, 'posterior') ** 2).toBeCloseTo(linear.posteriorVariance[500], 12);
  });
  test('is 0 at t = 0, where sqrt(beta) would still be 0.01', () => {
    expect(reverseSigma(linear, 0, 'beta')).toBe(0);
    expect(reverseSigma(linear, 0, 'posterior')).toBe(0);
  });
});

/**
 * With a linear denoiser the whole chain is linear, x_0 = a x_T + sum b_t z_t. Row 0 of this batch carries x_T = 1 and
 * no other noise, row t carries z_t = 1: the result of row r is the weight of source r, to float32 precision.
 */
describe.each(['beta', 'posterior'] as const)(
  'all 1000 steps of a linear chain, sigma^2 = %s',
  (variance) => {
    const schedule = linearSchedule();
    const slope = (t: number) => 0.6 * Math.sqrt(schedule.oneMinusAbar[t]);

    function oneSourcePerRow(row: number): Generator {
      return {
        ...createGenerator(0),
        key: [0, 0],
        fork: (...path) => oneSourcePerRow(path[0] === 'z' ? Number(path[1]) : 0),
        normal: (shape) =>
          tf.tidy(() =>
            tf
              .oneHot(tf.tensor1d([row], 'int32'), shape[0])
              .toFloat()
              .reshape(shape),
          ),
      };
    }

    test('has the weights and the variance of the recursion in float64', async () => {
      const images = await sampleRaw({
        denoiser: (xt, t) => xt.mul(slope(values(t)[0])) as tf.Tensor4D,
        schedule,
        shape: [1000, 1, 1, 1],
        generator: oneSourcePerRow(0),
        variance,
      });
      let ahead = 1; // product of the factors of the steps still to come, from x_{t-1} to x_0
      let total = 0;
      for (let t = 0; t < schedule.T; t++) {
        const weight = reverseSigma(schedule, t, variance) * ahead;
        if (t > 0) expect(Math.abs(images[t] - weight)).toBeLessThan(1e-5 * Math.max(weight, 1e-3));
        total += weight ** 2;
        const c = epsMeanCoefficients(schedule, t);
        ahead *= c.xt + c.eps * slope(t);
      }
      total += ahead ** 2;
      expect(Math.abs(images[0] - ahead)).toBeLessThan(1e-5 * Math.max(ahead, 1e-3));
      const found = images.reduce((sum, weight) => sum + weight ** 2, 0);
      expect(Math.abs(found / total - 1)).toBeLessThan(1e-5);
    });
  },
);

/** The last state of the chain, not clamped. */
async function sampleRaw(options: DdpmOptions): Promise<number[]> {
  const states = await trace(options);
  return states[states.length - 1].xt;
}

describe('randomness', () => {
  const run = async (options: Partial<DdpmOptions & { batchSize: number }>) => {
    const images = await sample({ ...base(), ...options });
    const numbers = values(images);
    images.dispose();
    return numbers;
  };

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

describe('ownership', () => {
  test('a state lives until the next one is asked for', async () => {
    const chain = ddpm(base());
    const first = (await chain.next()).value as SamplingState;
    expect(values(first.xt).every(Number.isFinite)).toBe(true);
    await chain.next();
    expect(first.xt.isDisposed && first.x0Hat.isDisposed).toBe(true);
    await chain.return();
  });

  test('leaving the loop early frees everything', async () => {
    const before = tf.memory().numTensors;
    for await (const { t } of ddpm(base())) if (t === 2) break;
    expect(tf.memory().numTensors).toBe(before);
  });

  test('so do a denoiser that throws and one that keeps tensors of its own alive', async () => {
    const before = tf.memory().numTensors;
    const failing: Denoiser = (xt, t) => {
      if (values(t)[0] === 1) throw new Error('no idea');
      return elementwise(xt, t);
    };
    await expect(trace({ ...base(), denoiser: failing })).rejects.toThrow('no idea');
    expect(tf.memory().numTensors).toBe(before);
    const identity: Denoiser = (xt) => xt;
    const owned = tf.ones([2, 3, 2, 1]) as tf.Tensor4D;
    await trace({ ...base(), denoiser: identity });
    await trace({ ...base(), denoiser: () => owned });
    expect(owned.isDisposed).toBe(false);
    owned.dispose();
  });
});

describe('sample', () => {
  test('returns the last state clamped to [-1, 1]', async () => {
    const raw = await sampleRaw(base());
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

describe('stopping', () => {
  test('ends the chain before its next step', async () => {
    const stop = createStopToken();
    const seen: number[] = [];
    for await (const { t } of ddpm({ ...base(), stop })) {
      seen.push(t);
      if (t === 2) stop.stop();
    }
    expect(seen).toEqual([3, 2]);
  });

  test('works from outside, because each step returns to the event loop', async () => {
    const stop = createStopToken();
    let calls = 0;
    const denoiser: Denoiser = (xt, t) => {
      if (++calls === 5) setImmediate(stop.stop);
      return elementwise(xt, t);
    };
    await trace({ ...base(), denoiser, schedule: linearSchedule({ T: 1000 }), stop });
    expect(calls).toBeLessThan(10);
  });

  test('follows an AbortSignal', async () => {
    const controller = new AbortController();
    const stop = createStopToken(controller.signal);
    expect(stop.stopped).toBe(false);
    controller.abort();
    expect(await trace({ ...base(), stop })).toEqual([]);
  });

  test('makes sample fail: half-made images are no images, finished batches are freed', async () => {
    const stop = createStopToken();
    const onStep = (_: SamplingState, { step }: { step: number }) => void (step === 6 && stop.stop());
    await expect(sample({ ...base(), batchSize: 1, onStep, stop })).rejects.toThrow(
      'stopped after 6 of 8 steps',
    );
  });
});
