/** Named, trainable tensors of a model, and where their first values come from. */
import { tf, type Generator } from '../engine';

/**
 * A model's parameters, keyed by path (`down0/conv1/kernel`).
 *
 * The first value of a parameter depends on the generator and on its path alone, not on the order in which layers
 * are built, so adding a layer leaves the others as they were. The collection owns its variables: `dispose()` frees
 * them all.
 */
export class Parameters {
  private constructor(
    private readonly variables: Map<string, tf.Variable>,
    private readonly generator: Generator,
    private readonly prefix: string,
  ) {}

  /** An empty collection whose first values are drawn from `generator`. */
  static create(generator: Generator): Parameters {
    return new Parameters(new Map(), generator, '');
  }

  /** A view on the same collection in which every path starts with `name/`. */
  scope(name: string): Parameters {
    return new Parameters(this.variables, this.generator, `${this.prefix}${name}/`);
  }

  /** A parameter drawn from `N(0, std^2)`. */
  normal(name: string, shape: number[], std: number): tf.Variable {
    return this.add(name, (path) => tf.mul(this.generator.fork('init', path).normal(shape), std));
  }

  /** A parameter drawn uniformly from `[-bound, bound)`. */
  uniform(name: string, shape: number[], bound: number): tf.Variable {
    return this.add(name, (path) =>
      this.generator.fork('init', path).uniform(shape, { min: -bound, max: bound }),
    );
  }

  /** A parameter that starts at one value everywhere. */
  constant(name: string, shape: number[], value: number): tf.Variable {
    return this.add(name, () => tf.fill(shape, value));
  }

  /** Every parameter by path, in the order of creation. */
  get all(): Map<string, tf.Variable> {
    return this.variables;
  }

  /** The number of trainable numbers. */
  get count(): number {
    return [...this.variables.values()].reduce((sum, variable) => sum + variable.size, 0);
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
    this.variables.clear();
  }

  private add(name: string, first: (path: string) => tf.Tensor): tf.Variable {
    const path = this.prefix + name;
    if (this.variables.has(path))
      throw new Error(`Parameter '${path}' exists already: give its layer a scope.`);
    const variable = tf.tidy(() => tf.variable(first(path)));
    this.variables.set(path, variable);
    return variable;
  }
}
