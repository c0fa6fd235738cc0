import { promisify } from 'node:util';
import koffi, { LibraryHandle, TypeObject } from 'koffi';
import { onWebgpu } from './choice';
import { pin, setDefaultVariable, silently } from './libc';
import { findRuntime, Runtime } from './locate';
import { CApi, NativeType, Pointer, signatures } from './signatures';

/** koffi's name of each kind of value. */
const KOFFI_NAMES: Record<NativeType, string | TypeObject> = {
  void: 'void',
  pointer: 'void*',
  string: 'str',
  int: 'int',
  int64: 'int64',
  size: 'size_t',
  float: 'float',
  byte: 'uint8',
  output: koffi.struct({ oper: 'void*', index: 'int' }),
};

/** An error of TensorFlow: which operation, on what inputs, and what TensorFlow says. */
export class TensorFlowError extends Error {
  constructor(
    /** TF_Code, e.g. 3 for an invalid argument. */
    readonly code: number,
    readonly operation: string,
    /** TensorFlow's own message. */
    readonly reason: string,
    /** The inputs, each as `float32[2,3]`. */
    readonly inputs: readonly string[] = [],
  ) {
    super(`${operation}: ${reason}${inputs.length ? ` (inputs: ${inputs.join(', ')})` : ''}`);
    this.name = 'TensorFlowError';
  }
}

/** TensorFlow's C API; on WebGPU nothing is loaded, and every call is an error. */
export const api: CApi = onWebgpu ? absent() : load(findRuntime());

/** The status that every call of this thread reports to: such calls never overlap, so one is enough. */
export const status: Pointer = onWebgpu ? 0n : api.TF_NewStatus();

/** @throws {TensorFlowError} when the last call that was given `of` failed. */
export function check(operation: string, describeInputs?: () => string[], of: Pointer = status): void {
  const code = api.TF_GetCode(of);
  if (code === 0) return;
  const reason = api.TF_Message(of);
  api.TF_SetStatus(of, 0, '');
  throw new TensorFlowError(code, operation, reason, describeInputs?.());
}

/** `TFE_Execute` on a thread of its own: JavaScript goes on meanwhile. What it is given must stay alive until it ends. */
export const executeAsync = promisify((api.TFE_Execute as unknown as { async: Call }).async);

type Call = (
  op: Pointer,
  outputs: BigUint64Array,
  count: Int32Array,
  status: Pointer,
  done: (error: Error | null) => void,
) => void;

const cStrings = new Map<string, Buffer>();

/** A null-terminated copy of a name (of an op, an attribute, a device), kept: the same few come back for ever. */
export function cString(text: string): Buffer {
  let bytes = cStrings.get(text);
  if (bytes === undefined) cStrings.set(text, (bytes = Buffer.from(`${text}\0`)));
  return bytes;
}

/** Stands for an API that is not there. */
function absent(): CApi {
  const refuse = (): never => {
    throw new Error('TSDIFFUSION_DEVICE=webgpu does without TensorFlow, which this needs: unset it.');
  };
  return new Proxy({} as CApi, { get: () => Object.assign(refuse, { async: refuse }) });
}

function load({ framework, cc, tensorflow }: Runtime): CApi {
  // 0 shows everything, 2 errors only; read by TensorFlow while it is loaded.
  setDefaultVariable('TF_CPP_MIN_LOG_LEVEL', '2');
  // Global, and the framework first: so the second library finds it by its name.
  const open = (): LibraryHandle[] => [framework, cc].map((file) => koffi.load(file, { global: true }));
  let libraries: LibraryHandle[];
  try {
    // A notice about oneDNN comes while the first library is loaded, whatever the level.
    libraries = process.env.TF_CPP_MIN_LOG_LEVEL === '0' ? open() : silently(open);
  } catch (error) {
    throw new Error(
      `TensorFlow ${tensorflow} cannot be loaded: ${(error as Error).message}. ` +
        'It needs glibc 2.27 or newer (not musl), or macOS on arm64; `npm run setup` unpacks it anew.',
    );
  }
  pin(framework);
  pin(cc);
  const functions = Object.entries(signatures).map(([name, [result, parameters]]) => {
    const library = libraries.find((candidate) => has(candidate, name));
    if (!library) throw new Error(`TensorFlow ${tensorflow} has no function ${name}. Run \`npm run setup\`.`);
    const kinds = parameters.map((kind) => KOFFI_NAMES[kind]);
    return [name, library.func(name, KOFFI_NAMES[result], kinds)];
  });
  return Object.fromEntries(functions) as CApi;
}

function has(library: LibraryHandle, name: string): boolean {
  try {
    library.symbol(name);
    return true;
  } catch {
    return false;
  }
}
