/** Group normalisation and its number of groups. */
import fc from 'fast-check';
import { tf } from '../../lib/engine';
import { groupNormalise, groupsFor } from '../../lib/nn';
import { expectNoLeaks } from '../helpers/leaks';
import { farthest, random, values } from '../helpers/models';

expectNoLeaks();

describe('groupNormalise', () => {
  test('[1, 2, 3, 4] in one group is +-1.341635, +-0.447212: biased variance, epsilon 1e-5', () => {
    tf.tidy(() => {
      const y = groupNormalise(tf.tensor4d([1, 2, 3, 4], [1, 1, 1, 4]), tf.ones([4]), tf.zeros([4]), 1);
      expect(farthest(values(y), [-1.341635, -0.447212, 0.447212, 1.341635])).toBeLessThan(1e-6);
    });
  });

  test('equals its definition in float64, image by image and group by group', () => {
    const [batch, pixels, channels, groups] = [3, 12, 6, 2];
    const x = random.fork('def').normal([batch, 3, 4, channels]);
    const [gamma, beta] = [random.fork('g').normal([channels]), random.fork('b').normal([channels])];
    const y = groupNormalise(x, gamma, beta, groups);
    const [xs, gs, bs] = [x, gamma, beta].map(values);
    const expected = new Array(xs.length).fill(0);
    for (let b = 0; b < batch; b++)
      for (let group = 0; group < groups; group++) {
        const at: number[] = [];
        for (let p = 0; p < pixels; p++)
          for (let c = group * 3; c < group * 3 + 3; c++) at.push((b * pixels + p) * channels + c);
        const mean = at.reduce((sum, i) => sum + xs[i], 0) / at.length;
        const variance = at.reduce((sum, i) => sum + (xs[i] - mean) ** 2, 0) / at.length;
        for (const i of at) {
          const c = i % channels;
          expected[i] = (gs[c] * (xs[i] - mean)) / Math.sqrt(variance + 1e-5) + bs[c];
        }
      }
    expect(farthest(values(y), expected)).toBeLessThan(2e-6);
    tf.dispose([x, gamma, beta, y]);
  });

  test('a shift of the channels is added first', () => {
    tf.tidy(() => {
      const [x, gamma, beta, shift] = [[2, 3, 4, 6], [6], [6], [2, 6]].map((shape, i) =>
        random.fork('shift', i).normal(shape),
      );
      const shifted = tf.add(x, tf.reshape(shift, [2, 1, 1, 6]));
      const ours = groupNormalise(x, gamma, beta, 2, { activation: 'silu', shift });
      const expected = groupNormalise(shifted, gamma, beta, 2, { activation: 'silu' });
      expect(farthest(values(ours), values(expected))).toBeLessThan(1e-6);
    });
  });

  test('a mean of 1000 costs no more than the digits that float32 has there', () => {
    tf.tidy(() => {
      // Whole numbers, so that the shifted data are exact and only the layer can lose digits.
      const x = random.fork('mean').integers([2, 8, 8, 4], { min: -3, max: 4 }).toFloat();
      const [gamma, beta] = [tf.ones([4]), tf.zeros([4])];
      const [plain, shifted] = [x, tf.add(x, 1000)].map((data) =>
        values(groupNormalise(data, gamma, beta, 2)),
      );
      expect(farthest(plain, shifted)).toBeLessThan(1e-4); // one digit of 1000 in float32 is 6e-5
    });
  });

  test('a constant image is beta, not NaN', () => {
    tf.tidy(() => {
      const y = groupNormalise(tf.fill([1, 4, 4, 2], 5), tf.ones([2]), tf.fill([2], 0.25), 1);
      expect(farthest(values(y), new Array(32).fill(0.25))).toBeLessThan(1e-5);
    });
  });

  test('groups that do not divide the channels are an error with a number that would', () => {
    tf.tidy(() => {
      const call = (groups: number) => () =>
        groupNormalise(tf.zeros([1, 2, 2, 12]), tf.ones([12]), tf.zeros([12]), groups);
      expect(call(8)).toThrow('groups = 8 does not divide 12 channels: use a divisor, such as 6.');
      expect(call(0)).toThrow(/groups = 0/);
      expect(call(-1)).toThrow(/groups = -1/);
    });
  });
});

describe('groupsFor', () => {
  test.each([
    [12, 6],
    [8, 8],
    [7, 7],
    [1, 1],
    [16, 8],
    [13, 1],
    [48, 8],
  ])('%i channels -> %i groups', (channels, groups) => expect(groupsFor(channels)).toBe(groups));

  test('is the largest divisor that is at most `most`', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 40 }), (channels, most) => {
        const groups = groupsFor(channels, most);
        expect(channels % groups).toBe(0);
        expect(groups).toBeGreaterThanOrEqual(1);
        expect(groups).toBeLessThanOrEqual(most);
        for (let more = groups + 1; more <= Math.min(most, channels); more++)
          expect(channels % more).not.toBe(0);
      }),
    );
  });

  test.each([0, -4, 2.5, NaN])('channels = %p is an error, not an endless loop', (channels) => {
    expect(() => groupsFor(channels)).toThrow(`channels = ${channels}: use a whole number of at least 1.`);
    expect(() => groupsFor(8, channels)).toThrow(`most = ${channels}`);
  });
});
