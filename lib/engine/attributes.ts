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

/** Sets an attribute on an op that is being built; an array sets a list. */
export function setAttribute(op: Pointer, { name, type, value }: Attribute): void {
  const key = cString(name);
  if (type === AttributeType.string) return setString(op, key, value);
  if (type === AttributeType.shape) {
    const shape = value as number[];
    api.TFE_OpSetAttrShape(op, key, dimensions(shape), shape.length, status);
    return check(`Attribute ${name}`);
  }
  if (Array.isArray(value)) return setList(op, name, type, value);
  switch (type) {
    case AttributeType.int:
      return api.TFE_OpSetAttrInt(op, key, Math.trunc(value as number));
    case AttributeType.float:
      return api.TFE_OpSetAttrFloat(op, key, value as number);
    case AttributeType.bool:
      return api.TFE_OpSetAttrBool(op, key, value ? 1 : 0);
    case AttributeType.type:
      return api.TFE_OpSetAttrType(op, key, value as number);
    default:
      throw new Error(`Attribute ${name} has the type ${type}, which the engine does not know.`);
  }
}

function setString(op: Pointer, key: Buffer, value: Attribute['value']): void {
  const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array);
  api.TFE_OpSetAttrString(op, key, bytes.length > 0 ? bytes : Buffer.alloc(1), bytes.length);
}

function setList(op: Pointer, name: string, type: number, values: number[]): void {
  const key = cString(name);
  switch (type) {
    case AttributeType.int:
      return api.TFE_OpSetAttrIntList(op, key, dimensions(values), values.length);
    case AttributeType.float:
      return api.TFE_OpSetAttrFloatList(op, key, Float32Array.from(values), values.length);
    case AttributeType.bool:
      return api.TFE_OpSetAttrBoolList(op, key, Uint8Array.from(values, Number), values.length);
    case AttributeType.type:
      return api.TFE_OpSetAttrTypeList(op, key, Int32Array.from(values), values.length);
    default:
      throw new Error(`Attribute ${name} is a list of type ${type}, which the engine does not know.`);
  }
}
