/**
 * How one C value crosses the border: `string` is a `const char*` that koffi copies, `byte` an `unsigned char`, `output`
 * a `TF_Output` passed by value.
 */
export type NativeType =
  'void' | 'pointer' | 'string' | 'int' | 'int64' | 'size' | 'float' | 'byte' | 'output';

export type Signature = readonly [result: NativeType, parameters: readonly NativeType[]];

/**
 * The functions of TensorFlow's C API that the engine calls.
 *
 * A wrong entry does not throw, it kills the process: a test compares each one with the wheel's headers.
 */
export const signatures = {
  TF_Version: ['string', []],

  TF_NewStatus: ['pointer', []],
  TF_DeleteStatus: ['void', ['pointer']],
  TF_GetCode: ['int', ['pointer']],
  TF_Message: ['string', ['pointer']],
  TF_SetStatus: ['void', ['pointer', 'int', 'string']],

  TF_AllocateTensor: ['pointer', ['int', 'pointer', 'int', 'size']],
  TF_TensorData: ['pointer', ['pointer']],
  TF_TensorByteSize: ['size', ['pointer']],
  TF_DeleteTensor: ['void', ['pointer']],

  TF_StringInit: ['void', ['pointer']],
  TF_StringCopy: ['void', ['pointer', 'pointer', 'size']],
  TF_StringGetDataPointer: ['pointer', ['pointer']],
  TF_StringGetSize: ['size', ['pointer']],

  TFE_NewContextOptions: ['pointer', []],
  TFE_ContextOptionsSetConfig: ['void', ['pointer', 'pointer', 'size', 'pointer']],
  TFE_DeleteContextOptions: ['void', ['pointer']],
  TFE_NewContext: ['pointer', ['pointer', 'pointer']],
  TFE_DeleteContext: ['void', ['pointer']],
  TFE_ContextListDevices: ['pointer', ['pointer', 'pointer']],
  TF_DeviceListCount: ['int', ['pointer']],
  TF_DeviceListType: ['string', ['pointer', 'int', 'pointer']],
  TF_DeviceListName: ['string', ['pointer', 'int', 'pointer']],
  TF_DeleteDeviceList: ['void', ['pointer']],

  TFE_NewTensorHandle: ['pointer', ['pointer', 'pointer']],
  TFE_DeleteTensorHandle: ['void', ['pointer']],
  TFE_TensorHandleDataType: ['int', ['pointer']],
  TFE_TensorHandleNumDims: ['int', ['pointer', 'pointer']],
  TFE_TensorHandleDim: ['int64', ['pointer', 'int', 'pointer']],
  TFE_TensorHandleBackingDeviceName: ['string', ['pointer', 'pointer']],
  TFE_TensorHandleResolve: ['pointer', ['pointer', 'pointer']],
  TFE_TensorHandleCopyToDevice: ['pointer', ['pointer', 'pointer', 'pointer', 'pointer']],

  TFE_NewOp: ['pointer', ['pointer', 'pointer', 'pointer']],
  TFE_DeleteOp: ['void', ['pointer']],
  TFE_OpAddInput: ['void', ['pointer', 'pointer', 'pointer']],
  TFE_OpSetAttrString: ['void', ['pointer', 'pointer', 'pointer', 'size']],
  TFE_OpSetAttrInt: ['void', ['pointer', 'pointer', 'int64']],
  TFE_OpSetAttrFloat: ['void', ['pointer', 'pointer', 'float']],
  TFE_OpSetAttrBool: ['void', ['pointer', 'pointer', 'byte']],
  TFE_OpSetAttrType: ['void', ['pointer', 'pointer', 'int']],
  TFE_OpSetAttrShape: ['void', ['pointer', 'pointer', 'pointer', 'int', 'pointer']],
  TFE_OpSetAttrIntList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TFE_OpSetAttrFloatList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TFE_OpSetAttrBoolList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TFE_OpSetAttrTypeList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TFE_Execute: ['void', ['pointer', 'pointer', 'pointer', 'pointer']],
  TFE_ContextAddFunction: ['void', ['pointer', 'pointer', 'pointer']],
  TFE_ContextRemoveFunction: ['void', ['pointer', 'string', 'pointer']],

  TF_NewGraph: ['pointer', []],
  TF_DeleteGraph: ['void', ['pointer']],
  TF_NewOperation: ['pointer', ['pointer', 'string', 'string']],
  TF_FinishOperation: ['pointer', ['pointer', 'pointer']],
  TF_AddInput: ['void', ['pointer', 'output']],
  TF_AddInputList: ['void', ['pointer', 'pointer', 'int']],
  TF_SetAttrString: ['void', ['pointer', 'pointer', 'pointer', 'size']],
  TF_SetAttrInt: ['void', ['pointer', 'pointer', 'int64']],
  TF_SetAttrFloat: ['void', ['pointer', 'pointer', 'float']],
  TF_SetAttrBool: ['void', ['pointer', 'pointer', 'byte']],
  TF_SetAttrType: ['void', ['pointer', 'pointer', 'int']],
  TF_SetAttrShape: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TF_SetAttrIntList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TF_SetAttrFloatList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TF_SetAttrBoolList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TF_SetAttrTypeList: ['void', ['pointer', 'pointer', 'pointer', 'int']],
  TF_SetAttrTensor: ['void', ['pointer', 'string', 'pointer', 'pointer']],
  TF_SetAttrFuncName: ['void', ['pointer', 'string', 'string', 'size']],
  TF_OperationOutputType: ['int', ['output']],
  TF_GraphGetTensorNumDims: ['int', ['pointer', 'output', 'pointer']],
  TF_GraphGetTensorShape: ['void', ['pointer', 'output', 'pointer', 'int', 'pointer']],
  TF_GraphSetTensorShape: ['void', ['pointer', 'output', 'pointer', 'int', 'pointer']],
  TF_GraphGetOpDef: ['void', ['pointer', 'string', 'pointer', 'pointer']],
  TF_NewBuffer: ['pointer', []],
  TF_DeleteBuffer: ['void', ['pointer']],
  TF_GraphToFunction: [
    'pointer',
    // graph, name, append_hash; the nodes (-1: all); inputs; outputs and their names; options, description, status
    [
      'pointer',
      'string',
      'byte',
      'int',
      'pointer',
      'int',
      'pointer',
      'int',
      'pointer',
      'pointer',
      'pointer',
      'pointer',
      'pointer',
    ],
  ],
  TF_DeleteFunction: ['void', ['pointer']],
} as const satisfies Record<string, Signature>;

/** An address in native memory. */
export type Pointer = bigint;

/** A value in a graph: one output of an operation (`TF_Output`). */
export interface Output {
  oper: Pointer;
  index: number;
}

interface NativeParameter {
  void: never;
  pointer: Pointer | ArrayBufferView | null;
  string: string;
  int: number;
  int64: number | bigint;
  size: number;
  float: number;
  byte: number;
  output: Output;
}

interface NativeResult {
  void: void;
  pointer: Pointer;
  string: string;
  int: number;
  int64: number | bigint;
  size: number | bigint;
  float: number;
  byte: number;
  output: never;
}

type Parameters<Kinds extends readonly NativeType[]> = {
  -readonly [I in keyof Kinds]: NativeParameter[Kinds[I]];
};

type Call<S extends Signature> = S extends readonly [
  infer R extends NativeType,
  infer P extends readonly NativeType[],
]
  ? (...parameters: Parameters<P>) => NativeResult[R]
  : never;

/** The C API as typed JavaScript functions. */
export type CApi = { readonly [Name in keyof typeof signatures]: Call<(typeof signatures)[Name]> };
