/** The U-Net: shapes, gradients, what it reads, bad options. */
import { createGenerator, tf } from '../../lib/engine';
import { unet, type UnetOptions } from '../../lib/models';
import { parameterGradientError, randomise } from '../helpers/gradient';
import { expectNoLeaks } from '../helpers/leaks';
import { farthest, images, random, steps, values, withModel } from '../helpers/models';

/** Attention, a change of width, a level without blocks: every kind of part, and small. */
const tiny: Omit<UnetOptions, 'generator'> = {
  imageSize: 8,
  channels: [8, 12, 8],
  blocks: [1, 0, 1],
  attention: [1, 2],
  heads: 2,
};

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
