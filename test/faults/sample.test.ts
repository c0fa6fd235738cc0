/** Step lists and sampler options that cannot be sampled with are refused by name, before any work. */
import { createGenerator, tf } from '../../lib/engine';
import { Denoiser, scheduleFromBetas } from '../../lib/diffusion';
import { SampleOptions, ddim, ddimCoefficients, ddpm, respace, sample, timesteps } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';

const schedule = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const neverCalled = jest.fn<tf.Tensor, Parameters<Denoiser>>((xt) => xt);
const options = (): SampleOptions => ({
  denoiser: neverCalled,
  schedule,
  shape: [2, 2, 2, 1],
  generator: createGenerator(0),
});

expectNoLeaks();
afterEach(() => expect(neverCalled).not.toHaveBeenCalled());

describe('timesteps', () => {
  test.each([0, -1, 2.5, 11, NaN, Infinity])('refuses %p of 10 steps', (steps) => {
    expect(() => timesteps({ T: 10, steps })).toThrow(
      `steps is ${steps}: choose a whole number from 1 to T = 10.`,
    );
  });
  test.each([0, -3, 1.5, NaN])('refuses T = %p', (T) => {
    expect(() => timesteps({ T, steps: 1 })).toThrow(`T is ${T}`);
  });
  test.each(['cubic', 'toString', ''])('refuses the spacing %p', (spacing) => {
    expect(() => timesteps({ T: 10, steps: 5, spacing: spacing as 'leading' })).toThrow(
      `spacing is '${spacing}': choose leading, linspace, trailing, quadratic.`,
    );
  });
});

describe.each<[string, number[], RegExp]>([
  ['an empty one', [], /timesteps is empty: name at least one step/],
  ['one that rises', [0, 1], /timesteps\[1\] is 1 and the one before 0: sampling goes down/],
  ['one that names a step twice', [3, 2, 2], /timesteps\[2\] is 2 and the one before 2/],
  ['one with the step T', [4, 2], /timesteps\[0\] is 4: a schedule with T = 4 has the steps 0\.\.3/],
  ['one below 0', [3, -1], /timesteps\[1\] is -1/],
  ['one with a fraction', [3, 1.5], /timesteps\[1\] is 1\.5/],
  ['one with NaN', [NaN], /timesteps\[0\] is NaN/],
])('the step list: %s', (_, list, message) => {
  test('is refused at the call', async () => {
    expect(() => ddim({ ...options(), timesteps: list })).toThrow(message);
    expect(() => ddpm({ ...options(), timesteps: list })).toThrow(message);
    expect(() => respace(schedule, list)).toThrow(message);
    await expect(sample({ ...options(), timesteps: list })).rejects.toThrow(message);
  });
});

test.each([0, -1, 1.5, NaN, Infinity])('every = %p is refused', async (every) => {
  const message = `every is ${every}: it must be a whole number of at least 1.`;
  expect(() => ddim({ ...options(), every })).toThrow(message);
  await expect(sample({ ...options(), every })).rejects.toThrow(message);
});

test.each([-0.1, 1.1, NaN, Infinity])('eta = %p is refused', async (eta) => {
  const message = `eta is ${eta}: choose a number from 0 (no fresh noise) to 1`;
  expect(() => ddim({ ...options(), eta })).toThrow(message);
  expect(() => ddimCoefficients(schedule, 2, eta)).toThrow(message);
  await expect(sample({ ...options(), sampler: 'ddim', eta })).rejects.toThrow(message);
});

test('a step that the schedule does not have is refused', () => {
  expect(() => ddimCoefficients(schedule, 4, 0)).toThrow('t is 4');
});

test('an option of the other sampler, and an unknown sampler, are refused', async () => {
  await expect(sample({ ...options(), eta: 0 })).rejects.toThrow(
    "eta is 0, but the sampler is ddpm: choose sampler: 'ddim', or leave eta out.",
  );
  await expect(sample({ ...options(), sampler: 'euler' as 'ddim' })).rejects.toThrow(
    "sampler is 'euler': choose 'ddpm' or 'ddim', or pass a sampler.",
  );
});

describe('bounds', () => {
  test.each([[[1, -1]], [[0, 0]], [[NaN, 1]]] as const)('clipRange = [%s] is refused', (clipRange) => {
    expect(() => ddim({ ...options(), clipRange })).toThrow(`clipRange is [${clipRange}]`);
  });

  test('points have none by themselves: to clip them one must say where', () => {
    const points = { ...options(), shape: [3, 2], clipDenoised: true };
    expect(() => ddpm(points)).toThrow(
      'clipDenoised needs clipRange for samples that are no images: give dataset.range.',
    );
    expect(() => ddpm({ ...points, clipRange: [-2, 2] })).not.toThrow();
  });
});

test.each([[[3]], [[3, 2, 1]], [[0, 2]], [[3, 0]], [[3, 1.5]], [[]]])('shape [%s] is refused', (shape) => {
  expect(() => ddim({ ...options(), shape })).toThrow(`shape is [${shape}]`);
});

test('noise of another shape than the samples is refused', async () => {
  const xT = tf.zeros([1, 2, 2, 1]);
  const message = 'xT has shape [1,2,2,1], but shape is [2,2,2,1]: give one noise for each sample.';
  expect(() => ddim({ ...options(), xT })).toThrow(message);
  await expect(sample({ ...options(), xT })).rejects.toThrow(message);
  xT.dispose();
});
