/** Points as a picture: where each falls, and how dark it is. */
import { scatterRaster } from '../../lib/viz';

test('x runs to the right, y upwards; outside is left out, more is darker', () => {
  const { width, height, channels, data } = scatterRaster(
    [0.1, 0.1, 2.9, 0.1, 2.9, 0.2, 1.5, 2.5, 3, 0, -0.1, 1],
    {
      range: [0, 3],
      side: 3,
    },
  );
  expect([width, height, channels]).toEqual([3, 3, 1]);
  expect(Array.from(data)).toEqual([255, 160, 255, 255, 255, 255, 160, 255, 97]);
});

test('what does not fit is refused', () => {
  expect(() => scatterRaster([1, 2, 3])).toThrow('3 coordinates');
  expect(() => scatterRaster([], { side: 0 })).toThrow('side must be');
  expect(() => scatterRaster([], { range: [1, 1] })).toThrow('range must be');
});
