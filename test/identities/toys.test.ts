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

/** Mean, standard deviation, smallest and largest value of a coordinate. */
const axis = (points: (readonly [number, number])[], d: 0 | 1) => {
  const values = points.map((point) => point[d]);
  const centre = mean(values);
  const std = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  return {
    mean: centre,
    std,
    ends: [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))],
  };
};

test('the roll without noise lies on its spiral: the radius is proportional to the angle', () => {
  const meanSquare = ((4.5 * Math.PI) ** 3 - (1.5 * Math.PI) ** 3) / (9 * Math.PI);
  const [left, low] = [2, 2 / (3 * Math.PI)]; // means of a cos a and of a sin a
  const scale = Math.sqrt(2 / (meanSquare - left ** 2 - low ** 2));
  for (const [x, y] of pairs(swissRoll({ count: 200, generator, noise: 0 }))) {
    const [u, v] = [x / scale + left, y / scale + low];
    const angle = Math.hypot(u, v);
    expect(angle).toBeGreaterThan(1.5 * Math.PI - 1e-4);
    expect(angle).toBeLessThan(4.5 * Math.PI + 1e-4);
    expect(angle * Math.cos(angle)).toBeCloseTo(u, 3);
    expect(angle * Math.sin(angle)).toBeCloseTo(v, 3);
  }
});

/** What the docstrings promise: standard deviation and ends of each axis; the mean is 0. */
test.each<[typeof swissRoll, [number, number], number[][]]>([
  [
    swissRoll,
    [0.975, 1.024],
    [
      [-1.7, 1.6],
      [-1.7, 2.1],
    ],
  ],
  [
    twoMoons,
    [Math.sqrt(0.75), Math.sqrt(0.5 - 1 / Math.PI + 1 / 16)],
    [
      [-1.5, 1.5],
      [-0.75, 0.75],
    ],
  ],
])('%p has mean 0, and the spread and the ends that it names', (make, stds, ends) => {
  const points = pairs(make({ count: 20_000, generator, noise: 0 }));
  for (const d of [0, 1] as const) {
    const found = axis(points, d);
    expect(Math.abs(found.mean)).toBeLessThan((5 * stds[d]) / Math.sqrt(20_000));
    expect(Math.abs(found.std / stds[d] - 1)).toBeLessThan(5 / Math.sqrt(20_000));
    found.ends.forEach((end, i) => {
      expect(Math.abs(end)).toBeLessThanOrEqual(Math.abs(ends[d][i]) + 1e-6);
      expect(Math.abs(end - ends[d][i])).toBeLessThan(0.1);
    });
  }
});

test.each([swissRoll, twoMoons, gaussianMixture])(
  '%p: point i does not depend on how many are drawn',
  (make) => {
    const all = Array.from(make({ count: 50, generator }).points);
    for (const count of [1, 7, 32])
      expect(Array.from(make({ count, generator }).points)).toEqual(all.slice(0, 2 * count));
  },
);

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
  expect(square).toBeCloseTo(1 + 2 * ringMixture.std ** 2, 1); // 0.71 along each axis
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
