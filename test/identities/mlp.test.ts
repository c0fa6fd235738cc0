/** The MLP for points: its start, its shapes, its gradient, its memory. */
import { createGenerator, tf } from '../../lib/engine';
import { createModel } from '../../lib/models';
import { expectNoLeaks } from '../helpers/leaks';
import { gradientError, parameterGradientError, randomise } from '../helpers/gradient';

expectNoLeaks();

const config = { kind: 'mlp', dims: 2, width: 16, depth: 2, timeDim: 8 } as const;

test('begins by predicting no noise, and depends on t once it has learned', () => {
  const model = createModel(config, createGenerator(0));
  const predict = (t: number[]) =>
    tf.tidy(() => Array.from(model.predict(tf.ones([t.length, 2]), tf.tensor1d(t, 'int32')).dataSync()));
  expect(predict([0, 50])).toEqual([0, 0, 0, 0]);
  randomise(model.parameters, createGenerator(1));
  const [a, , b] = predict([0, 50]);
  expect(Math.abs(a - b)).toBeGreaterThan(1e-3);
  const block = 16 * 16 + 16 + (8 * 16 + 16) + (16 * 16 + 16);
  expect(model.parameterCount).toBe(2 * 16 + 16 + 2 * block + 16 * 2 + 2);
  expect(model.config).toEqual(config);
  model.dispose();
});

test('its gradients are those of central differences', () => {
  const model = createModel(config, createGenerator(0));
  randomise(model.parameters, createGenerator(1));
  const t = tf.tensor1d([3, 40, 99], 'int32');
  const x = createGenerator(2).normal([3, 2]);
  expect(gradientError((input) => model.predict(input, t), [x])[0]).toBeLessThan(2e-3);
  for (const [path, error] of parameterGradientError(() => model.predict(x, t), model.parameters)) {
    expect([path, error < 5e-3]).toEqual([path, true]);
  }
  tf.dispose([t, x]);
  model.dispose();
});

test('refuses other points, float steps and bad options, and leaves nothing behind', () => {
  const model = createModel(config, createGenerator(0));
  tf.tidy(() => {
    const t = tf.tensor1d([1], 'int32');
    expect(() => model.predict(tf.ones([1, 3]), t)).toThrow(/reads points \[B, 2\]/);
    expect(() => model.predict(tf.ones([1, 2]), tf.tensor1d([0.5]))).toThrow(/float32/);
  });
  model.dispose();
  for (const bad of [{ dims: 0 }, { width: 1.5 }, { depth: 0 }, { timeDim: 7 }]) {
    expect(() => createModel({ ...config, ...bad }, createGenerator(0))).toThrow(/whole number|even/);
  }
  for (let i = 0; i < 20; i++) createModel(config, createGenerator(i)).dispose();
});
