/** Random numbers from TensorFlow's own ops. */
import * as tf from '@tensorflow/tfjs';
import { AttributeType } from './attributes';
import { DataType } from './dtypes';
import type { Kind, Rows } from './streams';
import { executeRaw, RawInput, RawOp } from './tensorflow';

/** TensorFlow's number for Philox. */
const PHILOX = 1;

const ops = {
  normal: { op: 'StatelessRandomNormalV2', dtype: DataType.float32 },
  uniform: { op: 'StatelessRandomUniformV2', dtype: DataType.float32 },
  integers: { op: 'StatelessRandomUniformIntV2', dtype: DataType.int32 },
} as const;

/** The numbers as `[count, size]`; within `tf.tidy`. */
export function drawTensor(rows: Rows): tf.Tensor {
  const { key, domain, first } = rows;
  const words = (BigInt(key[1]) << 32n) | BigInt(key[0]);
  return draw(rows, [uint64([words]), uint64([first, BigInt(domain)])]);
}

/** The same from key and counter as a tensor of int32 numbers, low words first. */
export function drawFrom(seed: tf.Tensor, what: Kind): tf.Tensor {
  const [key, counter] = tf.split(tf.reshape(seed, [-1, 2]), [1, 2]);
  return draw(what, [asUint64(key), asUint64(counter)]);
}

function draw(
  { kind, bounds, count, size, padded }: Kind,
  [key, counter]: [RawInput | RawOp, RawInput | RawOp],
): tf.Tensor {
  const { op, dtype } = ops[kind];
  const range = kind === 'integers' ? bounds.map((value) => int32([], [value])) : [];
  const inputs = [int32([2], [count, padded]), key, counter, int32([], [PHILOX]), ...range];
  const attributes = [
    { name: 'dtype', type: AttributeType.type, value: dtype },
    { name: 'Tshape', type: AttributeType.type, value: DataType.int32 },
  ];
  const rows = executeRaw(op, attributes, inputs) as tf.Tensor2D;
  return padded === size ? rows : rows.slice([0, 0], [count, size]);
}

/** Pairs of int32, low word first, as uint64. */
const asUint64 = (pairs: tf.Tensor): RawOp => ({
  op: 'Bitcast',
  attributes: [
    { name: 'T', type: AttributeType.type, value: DataType.int32 },
    { name: 'type', type: AttributeType.type, value: DataType.uint64 },
  ],
  inputs: [pairs],
});

const int32 = (shape: number[], values: number[]): RawInput => ({
  shape,
  dtype: DataType.int32,
  values: Int32Array.from(values),
});

const uint64 = (values: bigint[]): RawInput => ({
  shape: [values.length],
  dtype: DataType.uint64,
  values: BigUint64Array.from(values),
});
