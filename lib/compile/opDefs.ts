/** Which inputs of an op are lists: a graph wants each list in one call, where an op that runs takes them flat. */
import { memcpy } from '../engine/libc';
import { api, check, status } from '../engine/libtensorflow';
import type { Pointer } from '../engine/signatures';

/** One declared input of an op. */
export interface InputDef {
  list: boolean;
  /** Of a list: the attribute that says how many tensors of one type it has; empty for a list of types. */
  numberAttribute: string;
}

const known = new Map<string, InputDef[]>();

/**
 * The inputs that TensorFlow declares for an op.
 *
 * @throws {TensorFlowError} when it knows no such op.
 */
export function inputsOf(graph: Pointer, op: string): InputDef[] {
  let inputs = known.get(op);
  if (inputs === undefined) known.set(op, (inputs = decodeOpDef(readOpDef(graph, op))));
  return inputs;
}

/** How many of `given` tensors go to each input. @throws when they cannot be told apart. */
export function countsOf(inputs: InputDef[], given: number, numbers: Record<string, unknown>): number[] {
  const counts = inputs.map(({ list, numberAttribute }) => {
    if (!list) return 1;
    return typeof numbers[numberAttribute] === 'number' ? (numbers[numberAttribute] as number) : undefined;
  });
  const open = counts.filter((count) => count === undefined).length;
  const sum = counts.reduce<number>((total, count) => total + (count ?? 0), 0);
  if (open > 1 || sum > given || (open === 0 && sum !== given)) {
    throw new Error(`${given} tensors do not fit the op's inputs (${JSON.stringify(inputs)}).`);
  }
  return counts.map((count) => count ?? given - sum);
}

function readOpDef(graph: Pointer, op: string): Uint8Array {
  const buffer = api.TF_NewBuffer();
  try {
    api.TF_GraphGetOpDef(graph, op, buffer, status);
    check(op);
    // TF_Buffer begins with `const void* data; size_t length`.
    const [data, length] = copy(new BigUint64Array(2), buffer, 16);
    return copy(new Uint8Array(Number(length)), data, Number(length));
  } finally {
    api.TF_DeleteBuffer(buffer);
  }
}

function copy<A extends ArrayBufferView>(to: A, from: Pointer, bytes: number): A {
  memcpy(to, from, bytes);
  return to;
}

/** From TensorFlow's message OpDef: field 2 is an input (ArgDef), whose fields 5 and 6 make it a list. */
function decodeOpDef(bytes: Uint8Array): InputDef[] {
  return fieldsOf(bytes)
    .filter(({ field }) => field === 2)
    .map(({ content }) => {
      const parts = fieldsOf(content);
      const text = (field: number): string =>
        Buffer.from(parts.find((part) => part.field === field)?.content ?? []).toString();
      return { list: text(5) !== '' || text(6) !== '', numberAttribute: text(5) };
    });
}

/** The fields of a protocol buffer message that hold bytes; numbers are passed over. */
function fieldsOf(bytes: Uint8Array): { field: number; content: Uint8Array }[] {
  const fields: { field: number; content: Uint8Array }[] = [];
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else {
      const length = varint();
      fields.push({ field, content: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}
