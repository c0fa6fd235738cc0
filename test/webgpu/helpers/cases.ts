/** Every op that the library uses, and those that a reader reaches for first, on numbers; also their gradients. */
import { createGenerator, normalFrom, seedOf, tf } from '../../../lib/engine';
import {
  addBias,
  fourierFeatures,
  groupNormalise,
  relu,
  silu,
  timeEmbedding,
  upsample2,
} from '../../../lib/nn';

export interface Case {
  name: string;
  run(): tf.Tensor[];
}

type Fn = (...inputs: any[]) => tf.Tensor;

/** Numbers from -2 to 2, or from 0.1 to 2.1, that are the same on every engine, bit for bit. */
function numbers(shape: number[], name: string, i: number | string, positive = false): tf.Tensor {
  const uniform = createGenerator(7).fork(name, i).uniform(shape);
  const values = uniform.dataSync().map((u) => (positive ? 2 * u + 0.1 : 4 * u - 2));
  uniform.dispose();
  return tf.tensor(values, shape);
}

/** An op and its gradient by every input, at numbers of these shapes. */
function smooth(name: string, shapes: number[][], fn: Fn, { positive = false } = {}): Case {
  const run = (): tf.Tensor[] => {
    const inputs = shapes.map((shape, i) => numbers(shape, name, i, positive));
    const value = fn(...inputs);
    const weights = numbers(value.shape, name, 'weights');
    return [value, ...tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(fn(...xs), weights)))(inputs)];
  };
  return { name, run };
}

/** An op without a gradient. */
const plain = (name: string, shapes: number[][], fn: Fn): Case => ({
  name,
  run: () => [fn(...shapes.map((shape, i) => numbers(shape, name, i)))],
});

const image = [2, 6, 5, 4];
const table = [5, 7];
const steps = (): tf.Tensor1D => tf.tensor1d([4, 0, 3, 3], 'int32');

const binary: [string, Fn][] = [
  ['add', tf.add],
  ['sub', tf.sub],
  ['mul', tf.mul],
  ['div', tf.div],
];
/** Their gradients are tfjs's only where the shapes are equal. */
const extremes: [string, Fn][] = [
  ['maximum', tf.maximum],
  ['minimum', tf.minimum],
  ['squaredDifference', tf.squaredDifference],
];
const unary: [string, Fn][] = [
  ['neg', tf.neg],
  ['square', tf.square],
  ['sigmoid', tf.sigmoid],
  ['sin', tf.sin],
  ['cos', tf.cos],
  ['exp', tf.exp],
  ['tanh', tf.tanh],
  ['abs', tf.abs],
  ['step', tf.step],
  ['erf', tf.erf],
  ['expm1', tf.expm1],
  ['relu of tfjs', tf.relu],
  ['relu', relu],
  ['silu', silu],
  ['clipByValue', (x) => tf.clipByValue(x, -0.5, 0.7)],
  ['softmax', (x) => tf.softmax(x)],
  ['cast', (x) => tf.cast(tf.cast(x, 'int32'), 'float32').add(x)],
];
const convolutions = [
  { size: 3, stride: 1 },
  { size: 3, stride: 2 },
  { size: 1, stride: 1 },
];

export const cases: Case[] = [
  ...binary.flatMap(([name, fn]) => [
    smooth(name, [image, image], fn),
    smooth(`${name}, a row for each image and channel`, [image, [2, 1, 1, 4]], fn),
    smooth(`${name}, a number`, [table, []], fn),
  ]),
  ...extremes.flatMap(([name, fn]) => [
    smooth(name, [image, image], fn),
    plain(`${name}, a number`, [table, []], fn),
  ]),
  ...unary.map(([name, fn]) => smooth(name, [image], fn)),
  ...['sqrt', 'rsqrt', 'log', 'log1p'].map((name) =>
    smooth(name, [image], (x) => (tf as any)[name](x), { positive: true }),
  ),
  smooth('addN', [image, image, image], (...xs) => tf.addN(xs)),
  smooth('sum of pixels', [image], (x) => tf.sum(x, [1, 2])),
  smooth('sum', [image], (x) => tf.sum(x)),
  smooth('sum of rows', [table], (x) => tf.sum(x, 0)),
  smooth('mean of pixels', [image], (x) => tf.mean(x, [1, 2])),
  smooth('mean', [image], (x) => tf.mean(x)),
  smooth('mean, kept', [[2, 3, 4]], (x) => tf.mean(x, 2, true)),
  ...convolutions.flatMap(({ size, stride }) => [
    smooth(`conv2d ${size}x${size}, stride ${stride}`, [image, [size, size, 4, 8]], (x, w) =>
      tf.conv2d(x, w, stride, 'same'),
    ),
    smooth(
      `conv2d ${size}x${size}, stride ${stride}, one channel`,
      [
        [2, 28, 28, 1],
        [size, size, 1, 3],
      ],
      (x, w) => tf.conv2d(x, w, stride, 'same'),
    ),
  ]),
  smooth('conv2dTranspose', [image, [3, 3, 8, 4]], (x, w) =>
    tf.conv2dTranspose(x, w, [2, 6, 5, 8], 1, 'same'),
  ),
  smooth('matMul', [[5, 7], [7, 3]], (a, b) => tf.matMul(a, b)), // prettier-ignore
  smooth('matMul of heads', [[2, 2, 9, 4], [2, 2, 9, 4]], (a, b) => tf.matMul(a, b, false, true)), // prettier-ignore
  smooth('matMul, large', [[70, 130], [130, 40]], (a, b) => tf.matMul(a, b)), // prettier-ignore
  smooth('addBias of images', [image, [4]], (x, b) => addBias(x, b)),
  smooth('addBias of rows', [table, [7]], (x, b) => addBias(x, b)),
  smooth('group norm', [[2, 6, 5, 8], [8], [8]], (x, gamma, beta) => groupNormalise(x, gamma, beta, 2)), // prettier-ignore
  smooth('group norm, SiLU, a shift', [[2, 6, 5, 8], [8], [8], [2, 8]], (x, gamma, beta, shift) =>
    groupNormalise(x, gamma, beta, 2, { activation: 'silu', shift }),
  ),
  smooth('upsample2', [image], upsample2),
  smooth('concat of channels', [image, [2, 6, 5, 3]], (a, b) => tf.concat([a, b], 3)),
  smooth('concat of many vectors', new Array(20).fill([3]), (...xs) => tf.concat(xs)),
  smooth('stack', [table, table], (a, b) => tf.stack([a, b])),
  smooth('unstack', [table], (x) => tf.add(tf.unstack(x)[1], tf.unstack(x)[4])),
  smooth('split', [[30]], (x) => {
    const [a, b] = tf.split(x, [10, 20]);
    return tf.concat([b, a]);
  }),
  smooth('slice', [image], (x) => tf.slice(x, [0, 1, 2, 0], [2, 3, 2, 4])),
  smooth('gather', [[5]], (x) => tf.gather(x, steps())),
  smooth('tile', [[2, 3, 1]], (x) => tf.tile(x, [1, 2, 4])),
  smooth('transpose', [image], (x) => tf.transpose(x, [0, 2, 1, 3])),
  smooth('reverse', [[3, 3, 2, 4]], (x) => tf.reverse(x, [0, 1])),
  smooth('reshape', [image], (x) => tf.reshape(x, [4, -1])),
  smooth('expandDims', [table], (x) => tf.expandDims(x, 1)),
  plain('where', [image, image], (a, b) => tf.where(tf.greater(a, b), a, tf.zerosLike(b))),
  smooth('max', [table], (x) => tf.max(x, 1)),
  smooth('min', [table], (x) => tf.min(x, 1)),
  smooth('pow', [table], (x) => tf.pow(x, 2)),
  smooth('maxPool', [image], (x) => tf.maxPool(x, 2, 2, 'valid')),
  smooth('avgPool', [image], (x) => tf.avgPool(x, 2, 2, 'valid')),
  // Part of step on the CPU.
  plain('isNaN', [table], (x) => tf.isNaN(x)),
  plain('argMax', [table], (x) => tf.argMax(x, 1)),
  plain('round', [image], (x) => tf.round(tf.mul(x, 3))),
  plain('all', [table], (x) => tf.all(tf.less(x, 9))),
  plain('sin of large numbers', [], () => tf.sin(tf.range(-1200, 1200, 7.5))),
  plain('cos of large numbers', [], () => tf.cos(tf.range(-1200, 1200, 7.5))),
  plain(
    'a tensor that is changed in place',
    [
      [5, 2],
      [2, 2],
    ],
    (x, rows) => tf.tensorScatterUpdate(x, tf.tensor2d([[1], [3]], [2, 1], 'int32'), rows),
  ),
  plain('time embedding', [], () => timeEmbedding(tf.tensor1d([0, 1, 500, 999], 'int32'), 32)),
  plain('waves of grey levels', [[2, 3, 2]], (x) => fourierFeatures(x, [1, 3])),
  plain('fill', [], () => tf.fill([3, 4], 7, 'int32')),
  plain('normal', [], () => createGenerator(3).normal([300, 3], { firstSample: 7 })),
  plain('normal from a seed', [], () =>
    normalFrom(tf.tensor1d(seedOf(createGenerator(3), 'normal', [300, 3], 7), 'int32'), [300, 3]),
  ),
  plain('integers', [], () => createGenerator(3).integers([300], { min: -5, max: 5 })),
  plain('uniform', [], () => createGenerator(3).uniform([300], { min: -1, max: 1 })),
];
