/** Presets: consistent, plain data, and the recipe of the notes. */
import { createSchedule, signalLeft } from '../../lib/diffusion';
import { tf } from '../../lib/engine';
import { createModel, presetNamed, presets } from '../../lib/models';
import { expectNoLeaks } from '../helpers/leaks';
import { images, random, steps, values } from '../helpers/models';

expectNoLeaks();

describe('presets', () => {
  test.each(Object.entries(presets))(
    '%s is consistent, and a network of its own after JSON',
    (name, preset) => {
      expect(preset.name).toBe(name);
      expect(presetNamed(name)).toBe(preset);
      const { T } = createSchedule(preset.schedule);
      if (preset.model.kind === 'lecture2025') expect(preset.model.T).toBe(T);
      const { batchSize, epochs, learningRate, emaDecay, clipNorm = 1 } = preset.training;
      expect(
        Number.isInteger(batchSize) && batchSize > 0 && epochs > 0 && learningRate > 0 && clipNorm > 0,
      ).toBe(true);
      expect(emaDecay >= 0 && emaDecay < 1).toBe(true);

      const copy = JSON.parse(JSON.stringify(preset));
      expect(copy).toEqual(preset);
      const model = createModel(preset.model, random);
      const again = createModel(copy.model, random);
      const third = createModel(JSON.parse(JSON.stringify(model.config)), random);
      tf.tidy(() => {
        for (const other of [again, third]) {
          expect(other.parameterCount).toBe(model.parameterCount);
          expect([...other.parameters.keys()]).toEqual([...model.parameters.keys()]);
        }
        const y = model.predict(images(1, 28), steps(T - 1));
        expect(y.shape).toEqual([1, 28, 28, 1]);
        expect(values(again.predict(images(1, 28), steps(T - 1)))).toEqual(values(y));
      });
      for (const each of [model, again, third]) each.dispose();
    },
  );

  test("lecture2025 is the notes' recipe, and the signal that its schedule leaves is told", () => {
    const { schedule, training, sampling } = presets.lecture2025;
    expect(schedule).toEqual({ kind: 'linear', T: 300, betaStart: 1e-4, betaEnd: 0.02 });
    expect(training).toMatchObject({
      epochs: 5,
      batchSize: 128,
      learningRate: 2e-4,
      decay: 'none',
      emaDecay: 0,
    });
    expect(training.clipNorm).toBeUndefined();
    expect(sampling).toEqual({ variance: 'beta', clipDenoised: false });
    expect(signalLeft(createSchedule(schedule))).toMatch(/4.8 % of the signal/);
    expect(signalLeft(createSchedule(presets.small.schedule))).toBeUndefined();
  });

  test('an unknown preset or network is an error that says what there is', () => {
    expect(() => presetNamed('tiny')).toThrow(/There is no preset 'tiny': choose lecture2025 or small/);
    expect(() => presetNamed('toString')).toThrow(/no preset/);
    expect(() => createModel({ kind: 'vae' } as never, random)).toThrow(
      /kind must be 'lecture2025', 'unet' or 'mlp'/,
    );
  });
});
