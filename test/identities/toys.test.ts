/** Toy datasets: geometry, moments against closed forms, reproducibility. */
import {
  batches,
  gaussianMixture,
  ringMixture,
  sampleShape,
  sliceDataset,
  swissRoll,
  toBatch,
  twoMoons,
  type PointDataset,
} from '../../lib/datasets';
import { createGenerator } from '../../lib/engine';
import { expectNoLeaks } from '../helpers/leaks';

expectNoLeaks();

const generator = createGenerator(3);
const pairs = ({ points }: PointDataset) =>
  Array.from({ length: points.length / 2 }, (_, i) => [points[2 * i], points[2 * i + 1]] as const);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('the roll without noise lies on its spiral, and has mean square 2', () => {
  const roll = pairs(swissRoll({ count: 20_000, generator, noise: 0 }));
  // The radius is proportional to the angle: r = c a, and (x, y) / r = (cos a, sin a).
  const constant = Math.sqrt(2 / (((4.5 * Math.PI) ** 3 - (1.5 * Math.PI) ** 3) / (9 * Math.PI)));
  for (const [x, y] of roll.slice(0, 200)) {
    const angle = Math.hypot(x, y) / constant;
    expect(Math.cos(angle) * Math.hypot(x, y)).toBeCloseTo(x, 4);
    expect(Math.sin(angle) * Math.hypot(x, y)).toBeCloseTo(y, 4);
  }
  expect(Math.abs(mean(roll.map(([x, y]) => x * x + y * y)) - 2)).toBeLessThan(0.05);
});

test('the moons are two half circles; noise widens them by its standard deviation', () => {
  const distance = ([x, y]: readonly [number, number]) =>
    Math.min(Math.abs(Math.hypot(x + 0.5, y + 0.25) - 1), Math.abs(Math.hypot(x - 0.5, y - 0.25) - 1));
  const exact = pairs(twoMoons({ count: 2000, generator, noise: 0 }));
  expect(Math.max(...exact.map(distance))).toBeLessThan(1e-6);
  const upper = exact.filter(([x, y]) => Math.abs(Math.hypot(x + 0.5, y + 0.25) - 1) < 1e-6 && y >= -0.25);
  expect(Math.abs(upper.length - 1000)).toBeLessThan(5 * Math.sqrt(500));
  const noisy = pairs(twoMoons({ count: 2000, generator, noise: 0.05 }));
  expect(mean(noisy.map((point) => distance(point) ** 2))).toBeGreaterThan(0.8 * 0.05 ** 2);
  expect(mean(noisy.map((point) => distance(point) ** 2))).toBeLessThan(1.2 * 0.05 ** 2);
});

test('the mixture has its weights, means and standard deviation', () => {
  const mixture = { weights: [0.2, 0.8], means: [[-3], [1]], std: 0.5 };
  const { points, dims } = gaussianMixture({ count: 20_000, generator, mixture });
  expect(dims).toBe(1);
  const left = Array.from(points).filter((x) => x < -1);
  expect(Math.abs(left.length / 20_000 - 0.2)).toBeLessThan(5 * Math.sqrt(0.16 / 20_000));
  expect(Math.abs(mean(left) + 3)).toBeLessThan(0.05);
  expect(Math.sqrt(mean(left.map((x) => (x + 3) ** 2)))).toBeCloseTo(0.5, 1);
  const ring = pairs(gaussianMixture({ count: 8000, generator }));
  const square = mean(ring.map(([x, y]) => x * x + y * y));
  expect(square).toBeCloseTo(1 + 2 * ringMixture.std ** 2, 1);
});

test.each([swissRoll, twoMoons, gaussianMixture])(
  '%p: one generator, the same points; range holds them',
  (make) => {
    const [a, b] = [make({ count: 50, generator }), make({ count: 50, generator })];
    expect(Array.from(a.points)).toEqual(Array.from(b.points));
    const other = make({ count: 50, generator: createGenerator(4), split: 'validation' });
    expect(Array.from(other.points)).not.toEqual(Array.from(a.points));
    expect(other.split).toBe('validation');
    expect(a.points.every((x) => x >= a.range[0] && x <= a.range[1])).toBe(true);
    expect(() => make({ count: 0, generator })).toThrow(/count is 0/);
  },
);

test('points go through slices and batches as pictures do', () => {
  const moons = twoMoons({ count: 10, generator });
  expect(sampleShape(moons)).toEqual([2]);
  const tail = sliceDataset(moons, 'tail', 8, 10);
  const batch = toBatch(tail, [1, 0]);
  expect(batch.shape).toEqual([2, 2]);
  expect(Array.from(batch.dataSync())).toEqual([...moons.points.slice(18), ...moons.points.slice(16, 18)]);
  batch.dispose();
  expect(() => toBatch(tail, [2])).toThrow(/Index 2 is no sample of two moons \(tail\): there are 2/);
  const seen = [...batches(moons, { batchSize: 3, generator, epoch: 0 })].flatMap((part) => Array.from(part));
  expect(new Set(seen).size).toBe(9);
});

test('bad noise and mixtures are refused by name', () => {
  expect(() => swissRoll({ count: 5, generator, noise: -1 })).toThrow(/noise is -1/);
  const bad = { weights: [0.5, 0.5], means: [[0, 0], [1]], std: 1 };
  expect(() => gaussianMixture({ count: 5, generator, mixture: bad })).toThrow(/means\[1\]/);
});
