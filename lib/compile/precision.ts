/** Where a recorded function computes in bfloat16: 8 bits of exponent as float32, 8 bits of precision instead of 24. */
import { Attribute, AttributeType } from '../engine/attributes';
import { DataType } from '../engine/dtypes';
import type { Graph, Output } from './graph';

/**
 * `bfloat16` multiplies and convolves in bfloat16 (sums in float32 inside) and leaves everything else, weights and
 * optimiser above all, in float32. Faster on processors that have instructions for it.
 */
export type Precision = 'float32' | 'bfloat16';

interface Op {
  name: string;
  attributes: readonly Attribute[];
  inputs: readonly Output[];
}

/** The ops that take most of the time, and which of their inputs are factors. */
const CONTRACTIONS: Record<string, readonly number[]> = {
  Conv2D: [0, 1],
  Conv2DBackpropInput: [1, 2],
  Conv2DBackpropFilter: [0, 2],
  MatMul: [0, 1],
  BatchMatMul: [0, 1],
  BatchMatMulV2: [0, 1],
};

/**
 * Adds a contraction in bfloat16, with its result in float32 again; undefined if `op` is none or stays in float32.
 */
export function addContraction(graph: Graph, op: Op, precision: Precision): Output | undefined {
  const factors = CONTRACTIONS[op.name];
  const isFloat = op.attributes.some(({ name, value }) => name === 'T' && value === DataType.float32);
  if (precision === 'float32' || !factors || !isFloat) return undefined;
  const attributes = op.attributes.map((attribute) =>
    attribute.name === 'T' ? { ...attribute, value: DataType.bfloat16 } : attribute,
  );
  const inputs = op.inputs.map((input, i) =>
    factors.includes(i) ? cast(graph, input, DataType.bfloat16) : input,
  );
  return cast(graph, { oper: graph.add(op.name, attributes, inputs), index: 0 }, DataType.float32);
}

function cast(graph: Graph, value: Output, to: number): Output {
  const from = graph.describe(value).dtype;
  const attributes = [
    { name: 'SrcT', type: AttributeType.type, value: from },
    { name: 'DstT', type: AttributeType.type, value: to },
  ];
  return { oper: graph.add('Cast', attributes, [value]), index: 0 };
}
