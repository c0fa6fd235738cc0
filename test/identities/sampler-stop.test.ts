/** Samplers that are stopped. */
import { Denoiser, linearSchedule } from '../../lib/diffusion';
import { SamplingState, ddim, ddpm, sample } from '../../lib/sampling';
import { createStopToken } from '../../lib/stop';
import { expectNoLeaks } from '../helpers/leaks';
import { base, elementwise, trace } from '../helpers/samplers';

expectNoLeaks();

describe('stopping', () => {
  test.each([
    ['ddim', ddim],
    ['ddpm', ddpm],
  ] as const)('%s: the stop token ends the chain before its next step', async (_, run) => {
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

  test('works from outside, because each step returns to the event loop', async () => {
    const stop = createStopToken();
    let calls = 0;
    const denoiser: Denoiser = (xt, t) => {
      if (++calls === 5) setImmediate(stop.stop);
      return elementwise(xt, t);
    };
    await trace(ddpm, { ...base(), denoiser, schedule: linearSchedule({ T: 1000 }), stop });
    expect(calls).toBeLessThan(10);
  });

  test('follows an AbortSignal', async () => {
    const controller = new AbortController();
    const stop = createStopToken(controller.signal);
    expect(stop.stopped).toBe(false);
    controller.abort();
    expect(await trace(ddpm, { ...base(), stop })).toEqual([]);
  });

  test('makes sample fail: half-made images are no images, finished batches are freed', async () => {
    const stop = createStopToken();
    const onStep = (_: SamplingState, { step }: { step: number }) => void (step === 6 && stop.stop());
    await expect(sample({ ...base(), batchSize: 1, onStep, stop })).rejects.toThrow(
      'stopped after 6 of 8 steps',
    );
  });
});
