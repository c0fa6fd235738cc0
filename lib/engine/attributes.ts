import { api, check, cString, status } from './libtensorflow';
import { Pointer } from './signatures';
import { dimensions } from './tensors';

/** TF_AttrType of the C API. */
export const AttributeType = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

/** One attribute of an op, in the form that tfjs-node's kernels write it. */
export interface Attribute {
  name: string;
  type: number;
  value: boolean | number | object | string | number[];
}

type Setter<Value extends unknown[]> = (target: Pointer, name: Buffer, ...value: Value) => void;
type List = [values: ArrayBufferView, count: number];

/** How an attribute of each type is set; the C API has one family of functions for ops that run, one for graphs. */
export interface Setters {
  string: Setter<[bytes: ArrayBufferView, length: number]>;
  int: Setter<[number]>;
  float: Setter<[number]>;
  bool: Setter<[number]>;
  type: Setter<[number]>;
  shape: Setter<[dimensions: BigInt64Array, rank: number]>;
  intList: Setter<List>;
  floatList: Setter<List>;
  boolList: Setter<List>;
  typeList: Setter<List>;
}

/** For an op that is about to run (`TFE_Op`). */
const eager: Setters = {
  string: api.TFE_OpSetAttrString,
  int: api.TFE_OpSetAttrInt,
  float: api.TFE_OpSetAttrFloat,
  bool: api.TFE_OpSetAttrBool,
  type: api.TFE_OpSetAttrType,
  shape: (op, name, sizes, rank) => {
    api.TFE_OpSetAttrShape(op, name, sizes, rank, status);
    check(`Attribute ${name}`);
  },
  intList: api.TFE_OpSetAttrIntList,
  floatList: api.TFE_OpSetAttrFloatList,
  boolList: api.TFE_OpSetAttrBoolList,
  typeList: api.TFE_OpSetAttrTypeList,
};

/** Sets an attribute on an op that is being built; an array sets a list. */
export function setAttribute(op: Pointer, { name, type, value }: Attribute, setters: Setters = eager): void {
  const key = cString(name);
  switch (type) {
    case AttributeType.string:
      return setString(op, key, value, setters);
    case AttributeType.shape:
      return setters.shape(op, key, dimensions(value as number[]), (value as number[]).length);
    case AttributeType.int:
      return Array.isArray(value)
        ? setters.intList(op, key, dimensions(value), value.length)
        : setters.int(op, key, Math.trunc(value as number));
    case AttributeType.float:
      return Array.isArray(value)
        ? setters.floatList(op, key, Float32Array.from(value), value.length)
        : setters.float(op, key, value as number);
    case AttributeType.bool:
      return Array.isArray(value)
        ? setters.boolList(op, key, Uint8Array.from(value, Number), value.length)
        : setters.bool(op, key, value ? 1 : 0);
    case AttributeType.type:
      return Array.isArray(value)
        ? setters.typeList(op, key, Int32Array.from(value), value.length)
        : setters.type(op, key, value as number);
    default:
      throw new Error(`Attribute ${name} has the type ${type}, which the engine does not know.`);
  }
}

function setString(op: Pointer, key: Buffer, value: Attribute['value'], setters: Setters): void {
  const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array);
  setters.string(op, key, bytes.length > 0 ? bytes : Buffer.alloc(1), bytes.length);
}
