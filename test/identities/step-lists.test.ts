/** Samplers that make only the steps of a list. */
import { Denoiser, linearSchedule } from '../../lib/diffusion';
import { ddim, ddpm } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { values, elementwise, constant, base, scripted, trace, numbers } from '../helpers/samplers';

expectNoLeaks();

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
