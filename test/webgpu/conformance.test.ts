import { difference, resultOf } from './helpers/run';

interface Cases {
  values: Record<string, number[][]>;
  kernels: string[];
  left: number;
}

const asked = resultOf<string[]>('cpu', 'workload');
const reference = resultOf<Cases>('cpu', 'cases');

test('every kernel that the library asks for is among the cases', () => {
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((name) => !reference.kernels.includes(name))).toEqual([]);
});

describe.each(['cases', 'cases on the device'])('%s', (program) => {
  const { values, kernels, left } = resultOf<Cases>('webgpu', program);

  test.each(Object.keys(reference.values))('%s: value and gradients as on the CPU', (name) => {
    const expected = reference.values[name];
    expect(expected.flat().every(Number.isFinite)).toBe(true);
    expect(values[name]).toHaveLength(expected.length);
    expected.forEach((one, i) => expect(difference(one, values[name][i])).toBeLessThan(1e-5));
  });

  test('with every kernel that the library asks for, and no tensor is left', () => {
    expect(asked.filter((name) => !kernels.includes(name))).toEqual([]);
    expect([reference.left, left]).toEqual([0, 0]);
  });
});
