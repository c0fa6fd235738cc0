// Runs in a process of its own, with --expose-gc (see engine-leak.test.ts): steps like those of training, op by op or,
// with an argument, as one function each; or like those of sampling, with weights that are fixed.
import { compile, repeat, type Pass } from '../../lib/compile';
import { createGenerator, tf } from '../../lib/engine';

// Until allocators and V8 (2 MB at a time, seen on Node 26) have settled, which looks like a slope before.
const WARM_UP = 3000;
const STEPS = 5000;

const generator = createGenerator(0);
const kernel = tf.variable(generator.fork('kernel').normal([3, 3, 1, 8]).mul(0.1) as tf.Tensor4D);
const bias = tf.variable(tf.zeros([8]));
const head = tf.variable(generator.fork('head').normal([3, 3, 8, 1]).mul(0.1) as tf.Tensor4D);
const variables = [kernel, bias, head];
const pixels = new Float32Array(4 * 8 * 8);

/** One update; returns the loss. */
function update(x: tf.Tensor4D, noise: tf.Tensor4D, t: tf.Tensor1D): tf.Scalar {
  const loss = (): tf.Scalar => {
    const hidden = x.add(noise).conv2d(kernel, 1, 'same').add(bias).relu() as tf.Tensor4D;
    const scale = tf.gather(tf.linspace(0.5, 1, 1000), t).reshape([4, 1, 1, 1]);
    return hidden.conv2d(head, 1, 'same').mul(scale).sub(noise).square().mean() as tf.Scalar;
  };
  const { value, grads } = tf.variableGrads(loss, variables);
  variables.forEach((variable) => variable.assign(variable.sub(grads[variable.name].mul(0.01))));
  return value;
}

/** Passes of the network in a loop; returns a number. */
function passes(x: tf.Tensor4D, noise: tf.Tensor4D, t: tf.Tensor1D): tf.Scalar {
  const times = tf.scalar(3, 'int32');
  const pass = ([now]: tf.Tensor[], { given }: Pass): tf.Tensor[] => {
    const hidden = tf.relu(tf.conv2d(now as tf.Tensor4D, kernel, 1, 'same').add(bias));
    return [tf.conv2d(hidden as tf.Tensor4D, head, 1, 'same').add(given[0])];
  };
  const [result] = repeat([x], pass, { times, given: [noise] });
  return result.square().mean().add(t.toFloat().mean().mul(0)) as tf.Scalar;
}

const mode = process.argv[2];
const freeze = mode === 'refrozen';
const compiled = mode ? compile(freeze ? passes : update, { freeze }) : undefined;

async function step(index: number): Promise<void> {
  const inputs = tf.tidy((): [tf.Tensor4D, tf.Tensor4D, tf.Tensor1D] => {
    const x = tf.tensor4d(pixels.fill(index % 7), [4, 8, 8, 1]);
    const noise = generator.fork('noise', index).normal(x.shape) as tf.Tensor4D;
    return [x, noise, generator.fork('t', index).integers([4], { max: 1000 }) as tf.Tensor1D];
  });
  const loss = compiled ? await compiled.async(...inputs) : tf.tidy(() => update(...inputs));
  if (!Number.isFinite(loss.dataSync()[0])) throw new Error(`The loss of step ${index} is not finite.`);
  tf.dispose([inputs, loss]);
}

const samples: { step: number; used: number; tensors: number }[] = [];
void (async () => {
  for (let index = 0; index < WARM_UP + STEPS; index++) {
    if (mode === 'recompiled' && index % 50 === 0) compiled?.dispose();
    if (freeze && index % 50 === 0) tf.tidy(() => kernel.assign(kernel.mul(0.999)));
    await step(index);
    if (index >= WARM_UP && index % 50 === 0) {
      (globalThis as { gc?: () => void }).gc?.();
      // What V8 keeps in reserve grows in jumps of 2 MB, which are no leak.
      const { rss, heapTotal, heapUsed } = process.memoryUsage();
      samples.push({ step: index, used: rss - heapTotal + heapUsed, tensors: tf.memory().numTensors });
    }
  }
  console.log(JSON.stringify(samples));
})();
