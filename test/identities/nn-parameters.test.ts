/** Parameters: their first values, their names, their memory. */
import { createGenerator, tf } from '../../lib/engine';
import { conv2d, dense, Parameters } from '../../lib/nn';
import { expectNoLeaks } from '../helpers/leaks';
import { random, values, withLayer } from '../helpers/models';

expectNoLeaks();

describe('parameters', () => {
  const build = (order: string[], seed = 3): Parameters => {
    const parameters = Parameters.create(createGenerator(seed));
    for (const name of order) conv2d(parameters.scope('net').scope(name), { inChannels: 2, outChannels: 3 });
    return parameters;
  };
  const read = ({ all }: Parameters): Record<string, number[]> =>
    Object.fromEntries([...all].map(([path, variable]) => [path, values(variable)]));

  test('first values follow from seed and path, not from the order of the layers', () => {
    const [one, two, more, other] = [
      build(['a', 'b']),
      build(['b', 'a']),
      build(['a', 'c', 'b']),
      build(['a', 'b'], 4),
    ];
    expect(read(two)).toEqual(read(one));
    expect(read(more)).toMatchObject(read(one));
    const kernel = (p: Parameters, name: string) => read(p)[`net/${name}/kernel`];
    expect(kernel(other, 'a')).not.toEqual(kernel(one, 'a'));
    expect(kernel(one, 'b')).not.toEqual(kernel(one, 'a'));
    for (const parameters of [one, two, more, other]) parameters.dispose();
  });

  test('normal, uniform and constant have the moments that they state', () => {
    const parameters = Parameters.create(createGenerator(0));
    const n = 40_000;
    const moments = (variable: tf.Variable) => {
      const list = values(variable);
      const mean = list.reduce((sum, x) => sum + x, 0) / n;
      return { mean, std: Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n), list };
    };
    const normal = moments(parameters.normal('normal', [n], 0.2));
    expect(Math.abs(normal.mean)).toBeLessThan(0.005); // 5 standard errors
    expect(Math.abs(normal.std / 0.2 - 1)).toBeLessThan(0.018);
    const uniform = moments(parameters.uniform('uniform', [n], 0.3));
    expect(Math.abs(uniform.mean)).toBeLessThan(0.0045);
    expect(Math.abs(uniform.std / (0.3 / Math.sqrt(3)) - 1)).toBeLessThan(0.012);
    expect(Math.max(...uniform.list)).toBeLessThan(0.3);
    expect(Math.min(...uniform.list)).toBeGreaterThanOrEqual(-Math.fround(0.3));
    expect(new Set(moments(parameters.constant('one', [n], 1)).list)).toEqual(new Set([1]));
    expect(parameters.count).toBe(3 * n);
    parameters.dispose();
  });

  test('kernels keep the variance of the activations', () => {
    const std = (x: tf.Tensor): number => tf.tidy(() => tf.moments(x).variance.sqrt().dataSync()[0]);
    withLayer(
      (p) => conv2d(p, { inChannels: 64, outChannels: 64 }),
      (layer) =>
        tf.tidy(() => {
          const inside = tf.slice(
            layer(random.fork('keep').normal([2, 18, 18, 64])),
            [0, 1, 1, 0],
            [2, 16, 16, 64],
          );
          expect(Math.abs(std(inside) - 1)).toBeLessThan(0.05);
        }),
    );
    withLayer(
      (p) => dense(p, { inputs: 300, outputs: 200 }),
      (layer) =>
        tf.tidy(() =>
          expect(Math.abs(std(layer(random.fork('keep').normal([100, 300]))) - 1)).toBeLessThan(0.05),
        ),
    );
  });

  test('a path that exists is an error, and dispose frees everything', () => {
    const parameters = build(['a']);
    expect([...parameters.all.keys()]).toEqual(['net/a/kernel', 'net/a/bias']);
    expect(() => conv2d(parameters.scope('net').scope('a'), { inChannels: 1, outChannels: 1 })).toThrow(
      "Parameter 'net/a/kernel' exists already: give its layer a scope.",
    );
    parameters.dispose();
    expect(parameters.count).toBe(0);
  });
});
