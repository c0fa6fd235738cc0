/** What a sampler frees: after its states, when it is left, or fails. */
import { tf } from '../../lib/engine';
import { Denoiser } from '../../lib/diffusion';
import { SamplingState, ddim, ddpm, sample } from '../../lib/sampling';
import { expectNoLeaks } from '../helpers/leaks';
import { values, elementwise, base, trace } from '../helpers/samplers';

expectNoLeaks();

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
      await trace(run, { ...base(), denoiser: (xt) => xt });
      const owned = tf.ones([2, 3, 2, 1]);
      await trace(run, { ...base(), denoiser: () => owned, clipDenoised: true });
      expect(owned.isDisposed).toBe(false);
      owned.dispose();
    },
  );
});
