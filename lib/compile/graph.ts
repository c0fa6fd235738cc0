/** A TensorFlow graph under construction, and the function that it becomes. */
import { Attribute, AttributeType, setAttribute, Setters } from '../engine/attributes';
import type { ShapeAndType } from '../engine/binding';
import { api, check, status } from '../engine/libtensorflow';
import type { Output, Pointer } from '../engine/signatures';
import { dimensions } from '../engine/tensors';
import { countsOf, inputsOf } from './opDefs';

export type { Output };

const setters: Setters = {
  string: api.TF_SetAttrString,
  int: api.TF_SetAttrInt,
  float: api.TF_SetAttrFloat,
  bool: api.TF_SetAttrBool,
  type: api.TF_SetAttrType,
  shape: api.TF_SetAttrShape,
  intList: api.TF_SetAttrIntList,
  floatList: api.TF_SetAttrFloatList,
  boolList: api.TF_SetAttrBoolList,
  typeList: api.TF_SetAttrTypeList,
};

/** `TF_Output[]` in memory: the address of the operation and the number of its output, 8 bytes each. */
function encodeOutputs(outputs: readonly Output[]): BigInt64Array {
  const encoded = new BigInt64Array(Math.max(2, 2 * outputs.length));
  outputs.forEach(({ oper, index }, i) => encoded.set([oper, BigInt(index)], 2 * i));
  return encoded;
}

/** Owned by whoever makes it, until `dispose()`. */
export class Graph {
  /** Operations so far: each has a name of its own. */
  private size = 0;
  private readonly graph = api.TF_NewGraph();

  /**
   * Adds an operation and returns its address.
   *
   * @throws {TensorFlowError} when TensorFlow has no such op, or its inputs or attributes do not fit.
   */
  add(op: string, attributes: readonly Attribute[], inputs: readonly Output[]): Pointer {
    return this.build(op, inputs, attributes, (node) => {
      for (const attribute of attributes) setAttribute(node, attribute, setters);
    });
  }

  /** A value that every call gives anew. */
  placeholder({ shape, dtype }: ShapeAndType): Output {
    const attributes = [
      { name: 'dtype', type: AttributeType.type, value: dtype },
      { name: 'shape', type: AttributeType.shape, value: shape },
    ];
    return { oper: this.add('Placeholder', attributes, []), index: 0 };
  }

  /** A value that is part of the graph: a copy of the tensor behind `handle`. */
  constant(handle: Pointer): Output {
    const tensor = api.TFE_TensorHandleResolve(handle, status);
    check('A constant of a compiled function');
    try {
      const oper = this.build('Const', [], [], (node) => {
        api.TF_SetAttrTensor(node, 'value', tensor, status);
        api.TF_SetAttrType(node, DTYPE, api.TFE_TensorHandleDataType(handle));
      });
      return { oper, index: 0 };
    } finally {
      api.TF_DeleteTensor(tensor);
    }
  }

  /** A call of another function as one operation, which XLA compiles as a whole. */
  call(name: string, inputs: readonly Output[], given: ShapeAndType[], returned: ShapeAndType[]): Output[] {
    const types = (values: ShapeAndType[]): number[] => values.map(({ dtype }) => dtype);
    const attributes = [
      { name: 'Tin', type: AttributeType.type, value: types(given) },
      { name: 'Tout', type: AttributeType.type, value: types(returned) },
      { name: '_XlaMustCompile', type: AttributeType.bool, value: true },
    ];
    const oper = this.build('PartitionedCall', inputs, attributes, (node) => {
      for (const attribute of attributes) setAttribute(node, attribute, setters);
      api.TF_SetAttrFuncName(node, 'f', name, Buffer.byteLength(name));
    });
    return returned.map((what, index) => this.shaped({ oper, index }, what));
  }

  /**
   * A loop: `pass` from values to values of the same types, as long as `condition` of them is true; the last values.
   * TensorFlow writes it out into the graph around it, so that it is optimised as a part of that.
   */
  loop(condition: string, pass: string, initial: readonly Output[], types: ShapeAndType[]): Output[] {
    const attributes = [
      { name: 'T', type: AttributeType.type, value: types.map(({ dtype }) => dtype) },
      { name: '_lower_using_switch_merge', type: AttributeType.bool, value: true },
    ];
    const oper = this.build('StatelessWhile', initial, attributes, (node) => {
      for (const attribute of attributes) setAttribute(node, attribute, setters);
      api.TF_SetAttrFuncName(node, 'cond', condition, Buffer.byteLength(condition));
      api.TF_SetAttrFuncName(node, 'body', pass, Buffer.byteLength(pass));
    });
    return types.map((what, index) => this.shaped({ oper, index }, what));
  }

  /** Shape and type of a value. @throws when the shape is not known before the function runs. */
  describe(output: Output): ShapeAndType {
    const rank = api.TF_GraphGetTensorNumDims(this.graph, output, status);
    check('Shape in a graph');
    const sizes = new BigInt64Array(Math.max(1, rank));
    if (rank > 0) api.TF_GraphGetTensorShape(this.graph, output, sizes, rank, status);
    check('Shape in a graph');
    const shape = rank < 0 ? [-1] : Array.from(sizes.subarray(0, rank), Number);
    if (shape.some((size) => size < 0)) throw new Error('its shape depends on values');
    return { shape, dtype: api.TF_OperationOutputType(output) };
  }

  /** The graph as a function of `inputs` (placeholders); the caller deletes it (`TF_DeleteFunction`). */
  toFunction(name: string, inputs: readonly Output[], outputs: readonly Output[]): Pointer {
    const [given, returned] = [encodeOutputs(inputs), encodeOutputs(outputs)];
    const everyNode = -1;
    const definition = api.TF_GraphToFunction(
      this.graph,
      name,
      0,
      everyNode,
      null,
      inputs.length,
      given,
      outputs.length,
      returned,
      null,
      null,
      null,
      status,
    );
    check(`Compiling ${name}`);
    return definition;
  }

  dispose(): void {
    api.TF_DeleteGraph(this.graph);
  }

  /** Tells TensorFlow a shape that it cannot infer. */
  private shaped(output: Output, { shape }: ShapeAndType): Output {
    api.TF_GraphSetTensorShape(this.graph, output, dimensions(shape), shape.length, status);
    check('Shape in a graph');
    return output;
  }

  private build(
    op: string,
    inputs: readonly Output[],
    attributes: readonly Attribute[],
    set: (node: Pointer) => void,
  ): Pointer {
    const defs = inputsOf(this.graph, op);
    const numbers = Object.fromEntries(attributes.map(({ name, value }) => [name, value]));
    const counts = countsOf(defs, inputs.length, numbers);
    const node = api.TF_NewOperation(this.graph, op, `${op}_${this.size++}`);
    let first = 0;
    defs.forEach(({ list }, i) => {
      const some = inputs.slice(first, (first += counts[i]));
      if (list) api.TF_AddInputList(node, encodeOutputs(some), some.length);
      else api.TF_AddInput(node, some[0]);
    });
    set(node);
    const oper = api.TF_FinishOperation(node, status);
    check(op);
    return oper;
  }
}

const DTYPE = Buffer.from('dtype\0');
