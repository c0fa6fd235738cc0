/** The arithmetic of the benchmark, on made-up measurements and on shapes counted by hand. */
import { kernelFlops, convolutionFlops, largestConvolution } from '../../lib/bench/counting';
import { trainFlops } from '../../lib/bench/flops';
import { contenders } from '../../lib/bench/contenders';
import { plan } from '../../lib/bench/plan';
import { formatMs, markdown, type Report } from '../../lib/bench/report';
import { median, ratios, summarise, type Measurement } from '../../lib/bench/statistics';
import type { TrainWorkload } from '../../lib/bench/workload';
import { createGenerator } from '../../lib/engine';
import { createModel } from '../../lib/models';
import { expectNoLeaks } from '../helpers/leaks';

/** What the rounds of a contender would give. */
function made(contender: string, rounds: number[], note?: string): Measurement {
  const { family, precision } = contenders.find(({ id }) => id === contender)!;
  const label = contender.toUpperCase();
  return { contender, label, family, precision, rounds, ...summarise(rounds), ...(note && { note }) };
}

const measurements = [
  made('ours-eager', [60, 61, 62]),
  made('ours-float32', [50, 40, 45]),
  made('ours-bfloat16', [20, 30, 25]),
  made('stock', [1, 1, 1]),
  made('torch-notes', [90, 90, 120]),
  made('torch-channels-last', [72, 70, 71], 'fused Adam'),
  made('torch-bfloat16', [30, 31, 29]),
];

describe('statistics', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[1000, 9, 10], 10],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('there is none of nothing, and the list stays as it was', () => {
    expect(() => median([])).toThrow(/nothing to take the median of/);
    const values = [3, 1, 2];
    expect(summarise(values)).toEqual({ median: 2, min: 1, max: 3 });
    expect(values).toEqual([3, 1, 2]);
  });

  test('ratios are the peer over our fastest, in any precision and in float32 alone; the stock addon is no peer', () => {
    expect(ratios('x', measurements)).toEqual({
      x_vs_notes: 90 / 25,
      x_vs_best: 30 / 25,
      x_vs_notes_float32: 90 / 45,
      x_vs_best_float32: 71 / 45,
    });
  });

  test('without peers, or without us, there are none', () => {
    expect(ratios('x', measurements.slice(0, 4))).toEqual({});
    expect(ratios('x', measurements.slice(4))).toEqual({});
  });
});

test('the plan names each workload once, the ratios that are asked for among them, and is shorter when quick', () => {
  const ids = plan().map(({ id }) => id);
  const quick = plan({ quick: true }).map(({ id }) => id);
  const asked = ['train_large', 'train_small', 'sample_large', 'sample_small', 'unet_train', 'unet_sample'];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining(quick));
  expect(quick).toEqual(expect.arrayContaining(asked));
  expect(quick.filter((id) => id.startsWith('growth'))).toEqual([]);
  const batches = plan().filter(({ id }) => id.startsWith('growth_batch'));
  expect(batches.map(({ workload }) => (workload as TrainWorkload).batch)).toEqual([
    16, 32, 64, 128, 256, 512,
  ]);
});

describe('counting', () => {
  expectNoLeaks();

  /** A kernel that ran, its shapes written as '2 6 6 3'. */
  function kernel(name: string, inputs: string[], output: string) {
    const shape = (text: string): number[] => text.split(' ').map(Number);
    return { name, inputShapes: inputs.map(shape), outputShapes: [shape(output)] };
  }

  test.each([
    ['Conv2D', ['2 6 6 3', '3 3 3 5'], '2 6 6 5', 2 * 2 * 36 * 5 * 27],
    ['Conv2D', ['2 6 6 3', '3 3 3 5'], '2 3 3 5', 2 * 2 * 9 * 5 * 27],
    ['Conv2DBackpropInput', ['2 3 3 5', '3 3 3 5'], '2 6 6 3', 2 * 2 * 9 * 5 * 27],
    ['Conv2DBackpropFilter', ['2 6 6 3', '2 3 3 5'], '3 3 3 5', 2 * 2 * 9 * 5 * 27],
    ['BatchMatMul', ['1 7 4', '1 4 3'], '1 7 3', 2 * 7 * 4 * 3],
    ['BatchMatMul', ['5 4 7', '5 3 4'], '5 7 3', 5 * 2 * 7 * 4 * 3],
    ['Add', ['9', '9'], '9', 0],
  ])('%s of %j', (name, inputs, output, expected) => {
    expect(kernelFlops(kernel(name, inputs, output))).toBe(expected);
  });

  test("a step of the notes' network: three passes but for the gradients by images and by t", async () => {
    const workload = plan().find(({ id }) => id === 'train_large')!.workload as TrainWorkload;
    const { flops, convolution } = await trainFlops(workload);
    const pixels = 28 * 28;
    const outer = pixels * 9 * 64; // 1 -> 64, and 64 -> 1
    const inner = pixels * 9 * 64 * 128;
    const time = [128, 128 * 128];
    const products = 2 * outer + 3 * (2 * inner) + 3 * outer + 2 * time[0] + 3 * time[1];
    expect(flops).toBe(128 * 2 * products);
    expect(convolution).toEqual({
      kind: 'convolution',
      input: [128, 28, 28, 64],
      kernel: [3, 3, 64, 128],
      stride: 1,
    });
    expect(convolutionFlops(convolution)).toBe(128 * 2 * inner);
  });

  test('a convolution of stride 2 is found with its stride', () => {
    const halving = kernel('Conv2D', ['1 8 8 2', '3 3 2 4'], '1 4 4 4');
    const found = largestConvolution([halving], 5)!;
    expect(found).toMatchObject({ input: [5, 8, 8, 2], stride: 2 });
    expect(convolutionFlops(found)).toBe(5 * kernelFlops(halving));
    expect(largestConvolution([], 5)).toBeUndefined();
  });

  test("the notes' network in another width", () => {
    const create = (width?: number) =>
      createModel({ kind: 'lecture2025', T: 300, ...(width && { width }) }, createGenerator(0));
    const [usual, narrow] = [create(), create(16)];
    expect(usual.config).toEqual({ kind: 'lecture2025', T: 300 });
    expect(narrow.config).toEqual({ kind: 'lecture2025', T: 300, width: 16 });
    expect([usual.parameterCount, narrow.parameterCount]).toEqual([165633, 10689]);
    usual.dispose();
    narrow.dispose();
    expect(() => create(-1)).toThrow('width = -1: use a whole number of at least 1.');
  });
});

describe('report', () => {
  const report: Report = {
    date: '2026-01-02 03:04',
    machine: { processor: 'P', threads: 2 },
    versions: { TensorFlow: '2.21.0' },
    quick: true,
    ratios: ratios('train_large', measurements),
    results: [
      { id: 'train_large', label: 'train', group: 'main', measurements },
      { id: 'other', label: 'other', group: 'main', measurements: measurements.slice(1, 3) },
      { id: 'growth_1', label: 'batch 16', group: 'growth', measurements: measurements.slice(1, 3) },
    ],
    bounds: [
      {
        id: 'train_large',
        label: 'train',
        flops: 89e9,
        convolution: '128,28,28,64 * 3,3,64,128',
        rates: [{ precision: 'bfloat16', milliseconds: 250, rate: 356e9, peak: 712e9, share: 0.5 }],
      },
    ],
    absent: ['the stock addon: none.'],
  };
  const text = markdown(report);
  const lines = text.split('\n');

  test('says when, where and with what, and who is missing', () => {
    expect(text).toContain('2026-01-02 03:04, quick. processor P; threads 2; TensorFlow 2.21.0.');
    expect(text).toContain('Not measured: the stock addon: none.');
  });

  test('has a line a contender and a column a workload; the fastest is bold, what is missing empty', () => {
    expect(lines).toContain('| ms | train | other |');
    expect(lines).toContain('| OURS-FLOAT32 | 45.0 (40.0 to 50.0) | 45.0 (40.0 to 50.0) |');
    expect(lines).toContain('| OURS-BFLOAT16 | 25.0 (20.0 to 30.0) | **25.0** (20.0 to 30.0) |');
    expect(lines).toContain('| STOCK | **1.00** (1.00 to 1.00) |  |');
    expect(lines).toContain('| TORCH-CHANNELS-LAST | 71.0 (70.0 to 72.0), fused Adam |  |');
  });

  test('has the ratios, the bounds and the growth', () => {
    expect(lines).toContain('| train_large_vs_notes | 3.60 | 2.00 |');
    expect(lines).toContain('| train_large_vs_best | 1.20 | 1.58 |');
    expect(lines).toContain(
      '| train | 89.0 | bfloat16 | 250 | 356 | 712 | 50 % | 128,28,28,64 * 3,3,64,128 |',
    );
    expect(lines).toContain('| ms | OURS-FLOAT32 | OURS-BFLOAT16 |');
    expect(lines).toContain('| batch 16 | 45.0 (40.0 to 50.0) | **25.0** (20.0 to 30.0) |');
  });

  test('leaves out what was not measured', () => {
    const short = markdown({ ...report, ratios: {}, bounds: [], results: report.results.slice(0, 1) });
    expect(short.match(/^## .*/gm)).toEqual(['## Times']);
    const growth = markdown({ ...report, ratios: {}, bounds: [], results: report.results.slice(2) });
    expect(growth.match(/^## .*/gm)).toEqual(['## Growth']);
  });

  test.each([
    [0.01234, '0.0123'],
    [1.5, '1.50'],
    [99.96, '100'],
    [1234.5, '1235'],
  ])('%d ms is written %s', (value, expected) => {
    expect(formatMs(value)).toBe(expected);
  });
});
