/** Networks: shapes, gradients, sizes, receptive field, presets. */
import { createSchedule, signalLeft } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import {
  createModel,
  lecture2025,
  presetNamed,
  presets,
  unet,
  type Model,
  type UnetOptions,
} from '../../lib/models';
import { parameterGradientError, randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';

const random = createGenerator(5);
const values = (x: tf.Tensor): number[] => Array.from(x.dataSync());
const farthest = (x: number[], y: number[]): number =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i])));
const steps = (...t: number[]): tf.Tensor1D => tf.tensor1d(t, 'int32');
const images = (batch: number, size: number, channels = 1): tf.Tensor4D =>
  random.fork('images').normal([batch, size, size, channels]) as tf.Tensor4D;

/** Attention, a change of width, a level without blocks: every kind of part, and small. */
const tiny: Omit<UnetOptions, 'generator'> = {
  imageSize: 8,
  channels: [8, 12, 8],
  blocks: [1, 0, 1],
  attention: [1, 2],
  heads: 2,
};

function withModel(model: Model, use: (model: Model) => void): void {
  try {
    tf.tidy(() => use(model));
  } finally {
    model.dispose();
  }
}

expectNoLeaks();

describe('unet', () => {
  test('without skips: fewer inputs on the way up, right gradients; with them nothing has changed', () => {
    const [plain, explicit, without] = [undefined, true, false].map((skips) =>
      unet({ ...tiny, generator: random, ...(skips === undefined ? {} : { skips }) }),
    );
    expect([...explicit.parameters.keys()]).toEqual([...plain.parameters.keys()]);
    expect(explicit.parameterCount).toBe(plain.parameterCount);
    expect(without.parameters.get('up0/block/conv1/kernel')!.shape).toEqual([3, 3, 8, 8]);
    expect(plain.parameters.get('up0/block/conv1/kernel')!.shape).toEqual([3, 3, 16, 8]);
    expect(without.config).toMatchObject({ skips: false });
    randomise(without.parameters, random.fork('all'));
    const [x, t] = [images(2, 8), steps(3, 150)];
    const errors = parameterGradientError(() => without.predict(x, t), without.parameters, { step: 0.01 });
    for (const [path, error] of errors) {
      expect([path, error < 1e-2, error]).toEqual([path, true, error]);
    }
    tf.dispose([x, t]);
    for (const model of [plain, explicit, without]) model.dispose();
  });

  test('twenty networks made and disposed of leave nothing behind', () => {
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) unet({ ...tiny, generator: random }).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('starts by predicting exactly no noise, in the shape of its input', () => {
    withModel(unet({ ...tiny, imageChannels: 3, generator: random }), ({ predict }) => {
      const y = predict(images(2, 8, 3), steps(0, 999));
      expect(y.shape).toEqual([2, 8, 8, 3]);
      expect(values(y).every((value) => value === 0)).toBe(true);
    });
  });

  test('has the gradient of every one of its parameters', () => {
    withModel(unet({ ...tiny, generator: random }), ({ predict, parameters }) => {
      randomise(parameters, random.fork('all'));
      const [x, t] = [images(2, 8), steps(3, 150)];
      const errors = parameterGradientError(() => predict(x, t), parameters, { step: 0.01 });
      expect([...errors.keys()]).toEqual([...parameters.keys()]);
      expect([...errors].filter(([, error]) => !(error < 1e-2))).toEqual([]);
    });
  });

  test('reads t and every pixel', () => {
    withModel(unet({ ...tiny, generator: random }), ({ predict, parameters }) => {
      randomise(parameters, random.fork('all'));
      const x = images(1, 8);
      expect(farthest(values(predict(x, steps(3))), values(predict(x, steps(4))))).toBeGreaterThan(1e-3);
      const corner = tf.grad((z) =>
        predict(z as tf.Tensor4D, steps(3))
          .slice([0, 0, 0, 0], [1, 1, 1, 1])
          .sum(),
      )(x);
      expect(values(corner).every((value) => value !== 0)).toBe(true);
    });
  });

  test('of one image is the same alone and among others', () => {
    withModel(unet({ ...tiny, generator: random }), ({ predict, parameters }) => {
      randomise(parameters, random.fork('all'), 0.15);
      const [x, t] = [images(8, 8), [0, 1, 5, 20, 50, 100, 150, 199]];
      const together = values(predict(x, steps(...t)));
      const alone = t.flatMap((step, i) => values(predict(x.slice([i, 0, 0, 0], [1, 8, 8, 1]), steps(step))));
      expect(farthest(alone, together)).toBeLessThan(1e-5 * Math.max(1, ...together.map(Math.abs)));
    });
  });

  test('same seed, same weights; another seed, others', () => {
    const models = [0, 0, 1].map((seed) => unet({ ...tiny, generator: createGenerator(seed) }));
    const [one, two, other] = models.map(({ parameters }) => [...parameters.values()].map(values));
    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
    models.forEach((model) => model.dispose());
  });

  test.each<[Partial<UnetOptions>, RegExp]>([
    [
      { imageSize: 28, channels: [8, 8, 8, 8], blocks: [1, 1, 1, 1] },
      /imageSize = 28 cannot be halved 3 times: pad the images to 32/,
    ],
    [
      { imageSize: 30, channels: [8, 8, 8], blocks: [1, 1, 1] },
      /imageSize = 30 cannot be halved 2 times: pad the images to 32/,
    ],
    [{ blocks: [1, 1] }, /channels has 3 levels and blocks 2: give one number each per level/],
    [{ channels: [], blocks: [] }, /channels has 0 levels/],
    [{ channels: [8, 0, 8] }, /channels = \[8,0,8\]: use whole numbers of at least 1/],
    [{ blocks: [1, -1, 1] }, /blocks = \[1,-1,1\]: use whole numbers of at least 0/],
    [{ blocks: [1, 0.5, 1] }, /blocks = \[1,0.5,1\]/],
    [{ imageSize: 0 }, /imageSize = 0: use whole numbers of at least 1/],
    [{ attention: [3] }, /attention names level 3; the levels are 0 to 2/],
    [{ heads: 3 }, /heads = 3 does not divide the 8 channels of level 2: use a divisor/],
    [{ timeDim: 33 }, /timeDim = 33: use an even number/],
  ])('refuses %j and leaves nothing behind', (change, message) => {
    const all = tf.memory().numTensors;
    expect(() => unet({ ...tiny, ...change, generator: random })).toThrow(message);
    expect(tf.memory().numTensors).toBe(all);
  });

  test('refuses images of another size and a t that is no step', () => {
    withModel(unet({ ...tiny, generator: random }), ({ predict }) => {
      expect(() => predict(images(1, 9), steps(0))).toThrow(
        'xt has shape [1,9,9,1], but this network reads [B, 8, 8, 1]: pad or crop the images.',
      );
      expect(() => predict(images(1, 8), tf.tensor1d([0.5]))).toThrow(/int32/);
    });
  });

  test('twenty of them, made and disposed, leave no tensor', () => {
    for (let i = 0; i < 20; i++) unet({ ...tiny, generator: random }).dispose();
  });

  test('takes one level, and a first level with an odd number of channels', () => {
    for (const [channels, blocks] of [
      [[8], [1]],
      [
        [35, 8],
        [1, 0],
      ],
    ]) {
      withModel(unet({ imageSize: 6, channels, blocks, generator: random }), ({ predict }) => {
        expect(predict(images(1, 6), steps(1)).shape).toEqual([1, 6, 6, 1]);
      });
    }
  });
});

describe('lecture2025', () => {
  test('has 165,633 parameters, kernel and bias uniform in +-1/sqrt(fan in) as in PyTorch', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ parameters, parameterCount }) => {
      expect(parameterCount).toBe(165_633);
      expect(Object.fromEntries([...parameters].map(([path, { shape }]) => [path, shape]))).toEqual({
        'time1/kernel': [1, 128],
        'time1/bias': [128],
        'time2/kernel': [128, 128],
        'time2/bias': [128],
        'conv1/kernel': [3, 3, 1, 64],
        'conv1/bias': [64],
        'conv2/kernel': [3, 3, 64, 128],
        'conv2/bias': [128],
        'deconv1/kernel': [3, 3, 64, 128],
        'deconv1/bias': [64],
        'deconv2/kernel': [3, 3, 1, 64],
        'deconv2/bias': [1],
      });
      const fanIns = { time1: 1, time2: 128, conv1: 9, conv2: 576, deconv1: 576, deconv2: 9 };
      for (const [name, fanIn] of Object.entries(fanIns)) {
        const bound = 1 / Math.sqrt(fanIn);
        const kernel = values(parameters.get(`${name}/kernel`) as tf.Variable);
        const largest = Math.max(...kernel.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.95 * bound);
        expect(
          Math.max(...values(parameters.get(`${name}/bias`) as tf.Variable).map(Math.abs)),
        ).toBeLessThanOrEqual(bound * (1 + 1e-6));
      }
    });
  });

  test('one output pixel sees exactly 9 x 9 of the 28 x 28 input pixels', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict }) => {
      const pixel = (x: tf.Tensor): tf.Tensor =>
        predict(x as tf.Tensor4D, steps(100))
          .slice([0, 14, 14, 0], [1, 1, 1, 1])
          .sum();
      const seen = values(tf.grad(pixel)(images(1, 28))).map((value) => value !== 0);
      const expected = seen.map(
        (_, i) => Math.abs(Math.floor(i / 28) - 14) <= 4 && Math.abs((i % 28) - 14) <= 4,
      );
      expect(seen).toEqual(expected);
    });
  });

  test('has the gradient of every one of its parameters', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict, parameters }) => {
      // Positive kernels and biases keep every ReLU open: at its kink finite differences say nothing. The large sums
      // that come of it leave two digits to compare.
      for (const variable of parameters.values()) variable.assign(tf.abs(variable));
      (parameters.get('conv1/bias') as tf.Variable).assign(tf.fill([64], 5));
      const [x, t] = [images(2, 6), steps(3, 250)];
      const errors = parameterGradientError(() => predict(x, t), parameters, { step: 0.05, relative: true });
      expect(errors.size).toBe(12);
      expect([...errors].filter(([, error]) => !(error < 5e-2))).toEqual([]);
    });
  });

  test('divides t by the T of its config', () => {
    const models = [300, 600].map((T) => lecture2025({ T, generator: random }));
    tf.tidy(() => {
      const x = images(2, 8);
      const [short, long] = models;
      expect(values(long.predict(x, steps(200, 598)))).toEqual(values(short.predict(x, steps(100, 299))));
      expect(values(long.predict(x, steps(100, 299)))).not.toEqual(values(short.predict(x, steps(100, 299))));
      expect(long.config).toEqual({ kind: 'lecture2025', T: 600 });
    });
    models.forEach((model) => model.dispose());
  });

  test('of one image is the same alone and among others', () => {
    withModel(lecture2025({ T: 300, generator: random }), ({ predict }) => {
      const [x, t] = [images(8, 12), [0, 1, 5, 20, 50, 100, 150, 299]];
      const together = values(predict(x, steps(...t)));
      const alone = t.flatMap((step, i) =>
        values(predict(x.slice([i, 0, 0, 0], [1, 12, 12, 1]), steps(step))),
      );
      expect(farthest(alone, together)).toBeLessThan(1e-5);
    });
  });
});

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
