// Runs in a process of its own, with --expose-gc (see engine-leak.test.ts): steps like those of training.
import { createGenerator, tf } from '../../lib/engine';

// Long enough that V8's own ups and downs of 2 MB (seen on Node 26) do not look like a slope.
const WARM_UP = 1000;
const STEPS = 4000;

const generator = createGenerator(0);
const kernel = tf.variable(generator.fork('kernel').normal([3, 3, 1, 8]).mul(0.1) as tf.Tensor4D);
const bias = tf.variable(tf.zeros([8]));
const head = tf.variable(generator.fork('head').normal([3, 3, 8, 1]).mul(0.1) as tf.Tensor4D);
const variables = [kernel, bias, head];
const pixels = new Float32Array(4 * 8 * 8);

function step(index: number): void {
  tf.tidy(() => {
    const x = tf.tensor4d(pixels.fill(index % 7), [4, 8, 8, 1]);
    const noise = generator.fork('noise', index).normal(x.shape) as tf.Tensor4D;
    const t = generator.fork('t', index).integers([4], { max: 1000 });
    const loss = (): tf.Scalar => {
      const hidden = x.add(noise).conv2d(kernel, 1, 'same').add(bias).relu() as tf.Tensor4D;
      const scale = tf.gather(tf.linspace(0.5, 1, 1000), t as tf.Tensor1D).reshape([4, 1, 1, 1]);
      return hidden.conv2d(head, 1, 'same').mul(scale).sub(noise).square().mean() as tf.Scalar;
    };
    const { value, grads } = tf.variableGrads(loss, variables);
    variables.forEach((variable) => variable.assign(variable.sub(grads[variable.name].mul(0.01))));
    if (!Number.isFinite(value.dataSync()[0])) throw new Error(`The loss of step ${index} is not finite.`);
  });
}

const samples: { step: number; rss: number; tensors: number }[] = [];
for (let index = 0; index < WARM_UP + STEPS; index++) {
  step(index);
  if (index >= WARM_UP && index % 50 === 0) {
    (globalThis as { gc?: () => void }).gc?.();
    samples.push({ step: index, rss: process.memoryUsage().rss, tensors: tf.memory().numTensors });
  }
}
console.log(JSON.stringify(samples));
