/** The engine that `TSDIFFUSION_DEVICE` asks for: importing this file starts it, and only it. */
import './repair-util';
import * as tf from '@tensorflow/tfjs';
import { onWebgpu } from './choice';
import type { Device } from './device';
import type { Kind, Rows } from './streams';

interface Engine {
  ready(): Promise<void>;
  device(): Device;
  /** Random numbers as `[count, size]`; the caller owns the tensor. */
  drawTensor(rows: Rows): tf.Tensor;
  /** The same from key and counter as a tensor of int32 numbers, low words first. */
  drawFrom(seed: tf.Tensor, what: Kind): tf.Tensor;
  /** Waits until the device has done what it was given so far. */
  settled(): Promise<void>;
}

function onTensorflow(): Engine {
  const { device } = require('./tensorflow') as typeof import('./tensorflow');
  const draws = require('./randomOps') as typeof import('./randomOps');
  return { ...draws, ready: async () => {}, device: () => device, settled: async () => {} };
}

const engine: Engine = onWebgpu ? (require('./webgpu') as typeof import('./webgpu')) : onTensorflow();

/**
 * Resolves when ops can run: at once on TensorFlow, after the start of the device on WebGPU. `await` it before the first
 * tensor is made.
 *
 * @throws when WebGPU was asked for and cannot be used; the error says what is missing.
 */
export const ready = (): Promise<void> => engine.ready();

/** The device that this process computes on; on WebGPU after `ready()`. */
export const device = (): Device => ({ ...engine.device() });

export const { drawTensor, drawFrom } = engine;

/** Waits until the device has done what it was given so far; only WebGPU works behind one's back. */
export const settled = (): Promise<void> => engine.settled();

export { tf };
