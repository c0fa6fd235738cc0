/** The density of the swiss roll against an integral over the plane and against its own draws. */
import { swissRoll, swissRollCurve } from '../../lib/datasets';
import { createGenerator } from '../../lib/engine';
import { swissRollEntropyBits, swissRollLogDensities } from '../../lib/oracle';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

test('is 1 in all, and its entropy is that of the plane', () => {
  const [noise, h] = [0.1, 0.05];
  const side = Array.from({ length: 96 }, (_, i) => -2.4 + h * i);
  const plane = side.flatMap((x) => side.flatMap((y) => [x, y + 0.2]));
  const densities = swissRollLogDensities(plane, { noise });
  const sum = (f: (l: number) => number): number => densities.reduce((total, l) => total + f(l) * h * h, 0);
  expect(sum(Math.exp)).toBeCloseTo(1, 4);
  expect(sum((l) => (-Math.exp(l) * l) / Math.LN2)).toBeCloseTo(swissRollEntropyBits({ noise }), 3);
});

test.each([0.02, 0.003])('the draws of the generator agree, with noise %f', (noise) => {
  const count = 600;
  const { points } = swissRoll({ count, noise, generator: createGenerator(5) });
  const bits = Array.from(swissRollLogDensities(points, { noise }), (l) => -l / Math.LN2);
  const mean = bits.reduce((a, b) => a + b, 0) / count;
  const error = Math.sqrt(bits.reduce((sum, b) => sum + (b - mean) ** 2, 0) / count / count);
  expect(Math.abs(mean - swissRollEntropyBits({ noise }))).toBeLessThan(4 * error);
});

test('far inside a stretch it is the density of a line: that of the angle over the length', () => {
  const noise = 0.003;
  const [u, step] = [0.4, 1e-4];
  const [[a, b], [c, d]] = [swissRollCurve(u - step), swissRollCurve(u + step)];
  const speed = Math.hypot(c - a, d - b) / (2 * step);
  const [density] = swissRollLogDensities(swissRollCurve(u), { noise });
  expect(Math.exp(density) * speed * noise * Math.sqrt(2 * Math.PI)).toBeCloseTo(1, 4);
});

test('half the noise, one bit less', () => {
  const apart = swissRollEntropyBits({ noise: 0.004 }) - swissRollEntropyBits({ noise: 0.002 });
  expect(Math.abs(apart - 1)).toBeLessThan(0.005);
});

test.each([0, -1, NaN])('noise %f is refused', (noise) => {
  expect(() => swissRollEntropyBits({ noise })).toThrow(`noise is ${noise}`);
  expect(() => swissRollLogDensities([0, 0], { noise })).toThrow(`noise is ${noise}`);
});
test('half a point is refused', () => {
  expect(() => swissRollLogDensities([1, 2, 3])).toThrow('3 coordinates');
});
