/** Where a recorded function computes in bfloat16: float32's 8 bits of exponent, but 8 bits of precision instead of 24. */
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
 * Ops that go on in bfloat16 when the inputs named here come from there: they add no error to speak of, and convert
 * nothing to and fro. (A bias is joined to the convolution before it only in the convolution's own type.)
 */
const FOLLOWERS: Record<string, readonly number[]> = {
  BiasAdd: [0],
  BiasAddGrad: [0],
  Relu: [0],
  ReluGrad: [0, 1],
  Reshape: [0],
  Add: [0, 1],
};

/** Adds the ops of one graph in the precision that was asked for. */
export class Precisions {
  /** Values that exist in another type already, by value and type. */
  private readonly casts = new Map<string, Output>();
  /** What values in float32 were in bfloat16: nothing is lost by going back, which is not so for a value rounded once. */
  private readonly origins = new Map<string, Output>();

  private exact = false;

  constructor(
    private readonly graph: Graph,
    readonly precision: Precision,
  ) {}

  /** Adds the ops of `fn` in float32, whatever the precision. */
  exactly<T>(fn: () => T): T {
    const before = this.exact;
    this.exact = true;
    try {
      return fn();
    } finally {
      this.exact = before;
    }
  }

  /** Adds an op in bfloat16, with its result in float32 again; undefined if it is to stay in float32. */
  add(op: Op): Output | undefined {
    const isFloat = op.attributes.some(({ name, value }) => name === 'T' && value === DataType.float32);
    if (this.precision === 'float32' || this.exact || !isFloat) return undefined;
    const factors = CONTRACTIONS[op.name] ?? this.followed(op);
    if (!factors) return undefined;
    const attributes = op.attributes.map((attribute) =>
      attribute.name === 'T' ? { ...attribute, value: DataType.bfloat16 } : attribute,
    );
    const inputs = op.inputs.map((input, i) => (factors.includes(i) ? this.toBfloat16(input) : input));
    return this.fromBfloat16({ oper: this.graph.add(op.name, attributes, inputs), index: 0 });
  }

  /** The same value in bfloat16, if it came from there. */
  twin(value: Output): Output | undefined {
    return this.origins.get(keyOf(value, DataType.bfloat16));
  }

  /** A value in bfloat16 as one in float32, which remembers where it came from. */
  fromBfloat16(value: Output): Output {
    const result = this.cast(value, DataType.bfloat16, DataType.float32);
    this.origins.set(keyOf(result, DataType.bfloat16), value);
    return result;
  }

  toBfloat16(value: Output): Output {
    return this.twin(value) ?? this.cast(value, DataType.float32, DataType.bfloat16);
  }

  /** The inputs that a follower takes in bfloat16, if those that matter are there. */
  private followed({ name, inputs }: Op): number[] | undefined {
    const needed = FOLLOWERS[name];
    if (!needed?.every((i) => this.twin(inputs[i]))) return undefined;
    return name === 'BiasAdd' ? [0, 1] : [...needed];
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
