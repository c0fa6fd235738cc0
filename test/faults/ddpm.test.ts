/** Wrong tensors and options are refused by name, before any work and without leaving a tensor behind. */
import { createGenerator, device, tf } from '../../lib/engine';
import {
  Denoiser,
  gatherSchedule,
  noiseMse,
  posteriorMean,
  predictX0,
  qSample,
  qStep,
  sampleTimesteps,
  scheduleFromBetas,
} from '../../lib/diffusion';
import { DdpmOptions, ddpm, sample } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';

const schedule = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const options = (): DdpmOptions => ({
  denoiser: (xt) => xt,
  schedule,
  shape: [2, 2, 2, 1],
  generator: createGenerator(0),
});

expectNoLeaks();

/** Runs f in a scope of its own that frees what the test made, and returns the error. */
function errorOf(f: () => unknown): string {
  try {
    tf.tidy(() => void f());
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('shapes that broadcasting would let through', () => {
  test.each([
    [
      [8, 28, 28, 1],
      [8, 28, 28],
    ],
    [
      [1, 28, 28, 1],
      [28, 28, 1],
    ],
    [
      [1, 28, 28, 1],
      [1, 28, 28],
    ],
    [
      [28, 28, 28, 1],
      [28, 28, 28],
    ],
    [
      [4, 1],
      [1, 4],
    ],
    [[4], []],
  ])('noiseMse refuses [%s] against [%s]', (a, b) => {
    const message = errorOf(() => noiseMse(tf.zeros(a), tf.zeros(b)));
    expect(message).toContain(`eps has shape [${a}] and epsHat has shape [${b}]`);
  });

  test.each([1, 28])('qSample and its inverses refuse them too, B = %i', (B) => {
    const good = () => tf.zeros([B, 28, 28, 1]);
    const bad = () => tf.zeros([B, 28, 28]);
    const t = () => tf.zeros([B], 'int32') as tf.Tensor1D;
    expect(errorOf(() => qSample({ schedule, x0: good(), t: t(), eps: bad() }))).toContain('eps has shape');
    expect(errorOf(() => qStep({ schedule, xPrev: bad(), t: t(), eps: good() }))).toContain(
      'xPrev has shape',
    );
    expect(errorOf(() => predictX0({ schedule, xt: good(), t: t(), eps: bad() }))).toContain('eps has shape');
    expect(errorOf(() => posteriorMean({ schedule, xt: good(), t: t(), x0: bad() }))).toContain(
      'x0 has shape',
    );
  });
});

describe('steps', () => {
  const noise = (t: () => tf.Tensor) =>
    errorOf(() => qSample({ schedule, x0: tf.zeros([2, 3]), t: t() as tf.Tensor1D, eps: tf.zeros([2, 3]) }));

  test('as floats are refused, with the remedy', () => {
    expect(noise(() => tf.tensor1d([0, 1]))).toMatch(/t is of type float32.*toInt/);
  });

  test('that are not one for each sample are refused', () => {
    expect(noise(() => tf.tensor1d([1], 'int32'))).toContain('t has shape [1] and x0 has shape [2,3]');
    expect(noise(() => tf.tensor2d([[1], [1]], [2, 1], 'int32'))).toContain('t has shape [2,1]');
    expect(noise(() => tf.scalar(1, 'int32'))).toContain('t has shape []');
  });

  test.each([-1, 4])('outside the schedule (%i) are an error on the CPU and read zero on a GPU', (step) => {
    const look = () => gatherSchedule(schedule.abar, tf.tensor1d([0, step], 'int32'), 1);
    if (device().kind === 'gpu') {
      expect(tf.tidy(() => Array.from(look().dataSync()))[1]).toBe(0);
    } else {
      expect(errorOf(look)).toBe(`t[1] is ${step}: a schedule with T = 4 has the steps 0..3.`);
    }
  });

  test('cannot be drawn for an empty batch or schedule', () => {
    const generator = createGenerator(0);
    expect(errorOf(() => sampleTimesteps({ generator, batchSize: 0, T: 10 }))).toContain('batchSize is 0');
    expect(errorOf(() => sampleTimesteps({ generator, batchSize: 2, T: 0.5 }))).toContain('T is 0.5');
  });
});

describe('the sampler', () => {
  test.each([[[0, 2, 2, 1]], [[2, 2, 2]], [[2, 2.5, 2, 1]], [[NaN, 2, 2, 1]]])(
    'refuses shape [%s] at the call',
    (shape) => {
      expect(() => ddpm({ ...options(), shape: shape as DdpmOptions['shape'] })).toThrow(
        `shape is [${shape}]`,
      );
    },
  );

  test('refuses an unknown variance and a bad firstSample at the call', () => {
    expect(() => ddpm({ ...options(), variance: 'learned' as 'beta' })).toThrow("variance is 'learned'");
    expect(() => ddpm({ ...options(), firstSample: -1 })).toThrow('firstSample is -1');
  });

  test('refuses a batch size of 0', async () => {
    await expect(sample({ ...options(), batchSize: 0 })).rejects.toThrow('batchSize is 0');
  });

  test.each<[string, Denoiser, string]>([
    ['another shape', (xt) => xt.sum(3) as unknown as tf.Tensor4D, 'a tensor of shape [2,2,2]'],
    ['a mean', (xt) => xt.mean() as unknown as tf.Tensor4D, 'a tensor of shape []'],
    ['nothing', () => undefined as unknown as tf.Tensor4D, 'undefined'],
  ])('refuses a denoiser that returns %s', async (_, denoiser, what) => {
    await expect(sample({ ...options(), denoiser })).rejects.toThrow(
      `denoiser returned ${what} for samples of shape`,
    );
  });

  test('refuses a denoiser that is asynchronous', async () => {
    const denoiser: Denoiser = (xt) => Promise.resolve(xt) as unknown as tf.Tensor;
    await expect(sample({ ...options(), denoiser })).rejects.toThrow('denoiser returned a promise');
  });

  test('frees everything when onStep throws', async () => {
    const onStep = () => {
      throw new Error('disk full');
    };
    await expect(sample({ ...options(), onStep })).rejects.toThrow('disk full');
  });
});
