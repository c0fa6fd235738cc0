/** Variables while a function is recorded: each stands for an input until the function assigns to it. */
import { tf } from '../engine';
import { backend, idOf, typeOf } from './backend';
import { RecordingError } from './error';
import type { Output } from './graph';
import type { Recorder } from './recorder';

interface StandIn {
  variable: tf.Variable;
  /** Its value, and the symbol that it had at the start. */
  value: object;
  symbol: object;
}

const registered = (): tf.Variable[] => Object.values(tf.engine().state.registeredVariables);

/** Gives every variable a value without numbers, until `restore()`; an input of the graph is made when one is read. */
export class StandIns {
  /** The variables that were read, as inputs of the graph. */
  readonly inputs: [{ kind: 'variable'; variable: tf.Variable }, Output][] = [];
  private readonly all: StandIn[];

  constructor(recorder: Recorder) {
    this.all = registered().map((variable) => {
      const what = typeOf(variable);
      const value = variable.dataId;
      // Within the recording of another function it has no value now either.
      const real = recorder.variables.get(variable) ?? { id: idOf(variable), dataId: value };
      recorder.variables.set(variable, real);
      const symbol = backend().createOutputTensor(
        recorder.symbol(what, () => {
          if (recorder.freeze) {
            recorder.frozen.set(variable, real);
            return recorder.graph.constant(recorder.binding.handle(real.id));
          }
          const output = recorder.graph.placeholder(what);
          this.inputs.push([{ kind: 'variable', variable }, output]);
          return output;
        }),
      );
      variable.dataId = symbol.dataId;
      backend().incRef(symbol.dataId);
      return { variable, value, symbol: symbol.dataId };
    });
  }

  /** The variables that have a new value. */
  assigned(): tf.Variable[] {
    return this.all
      .filter(({ variable, symbol }) => variable.dataId !== symbol)
      .map(({ variable }) => variable);
  }

  /** @throws when a variable was made meanwhile: it would be made once, and its first value never be known. */
  requireNoOthers(): void {
    const known = new Set(this.all.map(({ variable }) => variable));
    const others = registered().filter((variable) => !known.has(variable));
    others.forEach((variable) => variable.dispose());
    if (others.length > 0) throw new RecordingError('it makes a variable: make it before, outside');
  }

  /** Gives the variables their values back. */
  restore(): void {
    const be = backend();
    for (const { variable, value } of this.all) {
      const { dataId } = variable;
      if (be.disposeData(dataId)) tf.engine().removeDataId(dataId, tf.backend());
      variable.dataId = value;
    }
  }
}
