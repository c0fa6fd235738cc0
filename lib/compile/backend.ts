/** The inner side of tfjs-node's backend, as far as recording and calling need it. */
import { tf } from '../engine';
import type { EagerBinding, ShapeAndType } from '../engine/binding';
import { Recorder } from './recorder';

export interface Backend {
  binding: EagerBinding | Recorder;
  getDTypeInteger(dtype: tf.DataType): number;
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(metadata: { id: number; shape: number[]; dtype: number }): tf.Tensor;
  incRef(dataId: object): void;
  disposeData(dataId: object): boolean;
}

export const backend = (): Backend => tf.backend() as unknown as Backend;

/** Whether a function is being recorded: tensors have shapes then, and no values. */
export const isRecording = (): boolean => backend().binding instanceof Recorder;

/** The number by which the binding knows a tensor's value. */
export const idOf = (tensor: tf.Tensor): number => backend().getInputTensorIds([tensor])[0];

export const typeOf = (tensor: tf.Tensor): ShapeAndType => ({
  shape: tensor.shape,
  dtype: backend().getDTypeInteger(tensor.dtype),
});
