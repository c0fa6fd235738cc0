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

/** Adds the contractions of one graph in the precision that was asked for. */
export class Contractions {
  /** Values that exist in another type already, by value and type. */
  private readonly casts = new Map<string, Output>();

  constructor(
    private readonly graph: Graph,
    private readonly precision: Precision,
  ) {}

  /** Adds a contraction in bfloat16, with its result in float32 again; undefined if `op` is none or stays in float32. */
  add(op: Op): Output | undefined {
    const factors = CONTRACTIONS[op.name];
    const isFloat = op.attributes.some(({ name, value }) => name === 'T' && value === DataType.float32);
    if (this.precision === 'float32' || !factors || !isFloat) return undefined;
    const attributes = op.attributes.map((attribute) =>
      attribute.name === 'T' ? { ...attribute, value: DataType.bfloat16 } : attribute,
    );
    const inputs = op.inputs.map((input, i) =>
      factors.includes(i) ? this.cast(input, DataType.float32, DataType.bfloat16) : input,
    );
    const product = { oper: this.graph.add(op.name, attributes, inputs), index: 0 };
    const result = this.cast(product, DataType.bfloat16, DataType.float32);
    // Where it is a factor next, it need not go there and back.
    this.casts.set(keyOf(result, DataType.bfloat16), product);
    return result;
  }

  private cast(value: Output, from: number, to: number): Output {
    const key = keyOf(value, to);
    let cast = this.casts.get(key);
    if (!cast) {
      const attributes = [
        { name: 'SrcT', type: AttributeType.type, value: from },
        { name: 'DstT', type: AttributeType.type, value: to },
      ];
      this.casts.set(key, (cast = { oper: this.graph.add('Cast', attributes, [value]), index: 0 }));
    }
    return cast;
  }
}

const keyOf = ({ oper, index }: Output, type: number): string => `${oper}:${index}:${type}`;
