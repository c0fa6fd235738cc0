/** Stands in the place of the engine's binding while a function is recorded: every op becomes a node of a graph. */
import type * as tf from '@tensorflow/tfjs';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import type { Attribute } from '../engine/attributes';
import { BindingConstants, EagerBinding, Executor, ShapeAndType, TensorMetadata } from '../engine/binding';
import type { Values } from '../engine/tensors';
import { RecordingError } from './error';
import { Graph, Output } from './graph';
import { Precisions, type Precision } from './precision';

/** Numbers of recorded values start here, far above those of real tensors, so that one is never taken for the other. */
const FIRST = 2 ** 40;

/** One series for all recorders: a symbol of another one is never taken for an own. */
let next = FIRST;

/** A tensor that is there before the function runs. */
export interface Capture extends ShapeAndType {
  id: number;
  output: Output;
}

/** The tensor that is a variable's value. */
export interface Real {
  id: number;
  dataId: object;
}

/** Records into `graph`; real tensors that an op reads become constants (made meanwhile) or captures (made before). */
export class Recorder extends BindingConstants implements Executor, TFJSBinding {
  readonly captures: Capture[] = [];
  private readonly values = new Map<number, Output | (() => Output)>();
  private readonly real = new Map<number, Output>();
  private readonly made = new Set<number>();
  readonly precisions: Precisions;
  /** Whether the values of variables, and of tensors from outside, become part of the graph. */
  readonly freeze: boolean;
  /** What variables really are while they have no values. */
  readonly variables: Map<tf.Variable, Real>;
  /** The variables whose values became part of the graph. */
  readonly frozen = new Map<tf.Variable, Real>();
  /** Names of functions that only this one calls. */
  readonly parts: string[] = [];

  constructor(
    readonly binding: EagerBinding,
    readonly graph: Graph,
    { precision, freeze = false, outer }: { precision: Precision; freeze?: boolean; outer?: Recorder },
  ) {
    super();
    this.precisions = new Precisions(graph, precision);
    this.freeze = freeze;
    this.variables = new Map(outer?.variables);
  }

  /** A tensor without values for a value of the graph; a function says where it is when somebody first uses it. */
  symbol(what: ShapeAndType, output: Output | (() => Output)): TensorMetadata {
    const id = next++;
    this.values.set(id, output);
    return { id, ...what };
  }

  /** Tensors without values that are still alive. */
  get alive(): number {
    return this.values.size;
  }

  /** Where in the graph the value of a tensor is. */
  output(id: number): Output {
    const known = this.values.get(id) ?? this.real.get(id);
    if (typeof known === 'function') {
      const output = known();
      this.values.set(id, output);
      return output;
    }
    if (known) return known;
    if (!this.binding.has(id)) {
      throw new RecordingError(
        'a tensor is used that was disposed of, or made while another function was recorded',
      );
    }
    const output =
      this.made.has(id) || this.freeze ? this.graph.constant(this.binding.handle(id)) : this.capture(id);
    this.real.set(id, output);
    return output;
  }

  createTensor(shape: number[], dtype: number, values: Values): number {
    const id = this.binding.createTensor(shape, dtype, values);
    this.made.add(id);
    return id;
  }

  deleteTensor(id: number): void {
    if (id < FIRST) {
      this.made.delete(id);
      this.binding.deleteTensor(id);
    } else if (!this.values.delete(id)) {
      throw new RecordingError('a tensor is disposed of twice');
    }
  }

  tensorDataSync(id: number): ReturnType<TFJSBinding['tensorDataSync']> {
    if (id < FIRST && this.made.has(id)) return this.binding.tensorDataSync(id);
    throw new RecordingError(
      'the value of a tensor is read (dataSync, arraySync, print), which has none yet: return it, and read it outside',
    );
  }

  executeOp(name: string, attributes: Attribute[], ids: number[], outputs: number): TensorMetadata[] {
    const inputs = ids.map((id) => this.output(id));
    try {
      const product = this.precisions.add({ name, attributes, inputs });
      if (product) return [this.symbol(this.graph.describe(product), product)];
      const node = this.graph.add(name, attributes, inputs);
      return Array.from({ length: outputs }, (_, index) => {
        const output = { oper: node, index };
        return this.symbol(this.graph.describe(output), output);
      });
    } catch (error) {
      throw new RecordingError(`the op ${name} cannot be recorded: ${(error as Error).message}`);
    }
  }

  getNumOfTensors(): number {
    return this.binding.getNumOfTensors();
  }

  isUsingGpuDevice(): boolean {
    return this.binding.isUsingGpuDevice();
  }

  private capture(id: number): Output {
    const what = this.binding.describe(id);
    const output = this.graph.placeholder(what);
    this.captures.push({ id, output, ...what });
    return output;
  }
}
