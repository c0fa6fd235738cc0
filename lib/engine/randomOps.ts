/** Rows of random numbers from TensorFlow's own ops. */
import type * as tf from '@tensorflow/tfjs';
import { AttributeType } from './attributes';
import { DataType } from './dtypes';
import { BLOCK, blocksOf, Rows } from './streams';
import { executeRaw, RawInput } from './tensorflow';

/** TensorFlow's number for Philox. */
const PHILOX = 1;

const ops = {
  normal: { op: 'StatelessRandomNormalV2', dtype: DataType.float32 },
  uniform: { op: 'StatelessRandomUniformV2', dtype: DataType.float32 },
  integers: { op: 'StatelessRandomUniformIntV2', dtype: DataType.int32 },
} as const;

const int32 = (shape: number[], values: readonly number[]): RawInput => ({
  shape,
  dtype: DataType.int32,
  values: Int32Array.from(values),
});

const uint64 = (values: bigint[]): RawInput => ({
  shape: [values.length],
  dtype: DataType.uint64,
  values: BigUint64Array.from(values),
});

/** The numbers as `[count, size]`; within `tf.tidy`. */
export function drawTensor(rows: Rows): tf.Tensor {
  const { kind, key, domain, count, size, bounds } = rows;
  const { op, dtype } = ops[kind];
  const { first } = blocksOf(rows);
  const padded = Math.ceil(size / BLOCK) * BLOCK;
  const inputs = [
    int32([2], [count, padded]),
    uint64([(BigInt(key[1]) << 32n) | BigInt(key[0])]),
    uint64([first, BigInt(domain)]),
    int32([], [PHILOX]),
    ...(kind === 'integers' ? bounds.map((value) => int32([], [value])) : []),
  ];
  const attributes = [
    { name: 'dtype', type: AttributeType.type, value: dtype },
    { name: 'Tshape', type: AttributeType.type, value: DataType.int32 },
  ];
  const drawn = executeRaw(op, attributes, inputs) as tf.Tensor2D;
  return padded === size ? drawn : drawn.slice([0, 0], [count, size]);
}
