import { tf } from '../engine';
import { backend, isRecording, typeOf } from './backend';
import { RecordingError } from './error';
import { record } from './record';
import type { Recorder } from './recorder';

/** What a pass works on besides the values that it changes. */
export interface Pass {
  /** Number of the pass, from 0, int32. */
  i: tf.Scalar;
  /** Tensors that stay as they are. */
  given: tf.Tensor[];
}

export interface RepeatOptions {
  /** How often, int32. */
  times: tf.Scalar;
  given?: tf.Tensor[];
}

let count = 0;

/**
 * `times` passes of `body`, each from the values that the one before left: a loop inside a compiled function, recorded once
 * and run without a way back to JavaScript. Where nothing is compiled it is a loop in JavaScript.
 *
 * @param state the values to begin with; shapes and types stay
 * @param body works on its arguments and on variables; returns the new values
 * @returns the values after the last pass; the caller owns them
 * @throws {RecordingError} in a function that is compiled without `freeze`
 */
export function repeat(
  state: tf.Tensor[],
  body: (state: tf.Tensor[], pass: Pass) => tf.Tensor[],
  { times, given = [] }: RepeatOptions,
): tf.Tensor[] {
  if (!isRecording()) return loop(state, body, { times, given });
  const recorder = backend().binding as Recorder;
  if (!recorder.freeze) throw new RecordingError('it repeats something: compile it with freeze');
  const initial = [tf.scalar(0, 'int32'), times, ...state, ...given];
  const pass = (i: tf.Tensor, n: tf.Tensor, ...rest: tf.Tensor[]): tf.Tensor[] => {
    const [changing, fixed] = [rest.slice(0, state.length), rest.slice(state.length)];
    const next = body(changing, { i: i as tf.Scalar, given: fixed });
    return [tf.add(i, tf.scalar(1, 'int32')), n, ...next, ...fixed];
  };
  const { precision } = recorder.precisions;
  const name = `repeat_${count++}`;
  const recorded = record(pass as (...tensors: tf.Tensor[]) => tf.Tensor[], initial, {
    name: `${name}_pass`,
    precision,
    freeze: true,
  });
  recorder.parts.push(recorded.name, ...recorded.parts);
  recorded.frozen.forEach((real, variable) => recorder.frozen.set(variable, real));
  const types = initial.map(typeOf);
  if (JSON.stringify(recorded.outputs) !== JSON.stringify(types)) {
    throw new RecordingError('what it repeats changes the shape or the type of a value');
  }
  const condition = record((i: tf.Tensor, n: tf.Tensor) => tf.less(i, n), initial, {
    name: `${name}_condition`,
    precision: 'float32',
  });
  recorder.parts.push(condition.name);
  const inputs = backend()
    .getInputTensorIds(initial)
    .map((id) => recorder.output(id));
  return recorder.graph
    .loop(condition.name, recorded.name, inputs, types)
    .map((output, k) => backend().createOutputTensor(recorder.symbol(types[k], output)))
    .slice(2, 2 + state.length);
}

/** The same op by op. */
function loop(
  state: tf.Tensor[],
  body: (state: tf.Tensor[], pass: Pass) => tf.Tensor[],
  { times, given }: Required<RepeatOptions>,
): tf.Tensor[] {
  return tf.tidy(() => {
    let now = state.map((tensor) => tensor.clone());
    const passes = times.dataSync()[0];
    for (let i = 0; i < passes; i++) {
      const next = tf.tidy(() => body(now, { i: tf.scalar(i, 'int32'), given }).map((x) => x.clone()));
      tf.dispose(now);
      now = next;
    }
    return now;
  });
}
