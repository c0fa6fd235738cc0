/** The notes' network as one writes it with TensorFlow.js alone, op by op: for the stock addon. */
import { createSchedule } from '../diffusion/scheduleConfig';
import type { tf as Tf } from '../engine';
import { timed, type Job } from './job';
import type { SampleWorkload, TrainWorkload, Workload } from './workload';

type TensorFlow = typeof Tf;

/** The notes' network: what predicts noise, and its parameters. */
function network(tf: TensorFlow, { model }: TrainWorkload | SampleWorkload) {
  if (model.kind !== 'lecture2025')
    throw new Error(`There is no ${model.kind} here, only the notes' network.`);
  const { T, width = 64 } = model;
  const variables: Tf.Variable[] = [];
  const variable = (shape: number[], fanIn: number): Tf.Variable => {
    const bound = 1 / Math.sqrt(fanIn);
    const made = tf.tidy(() => tf.variable(tf.randomUniform(shape, -bound, bound)));
    variables.push(made);
    return made;
  };
  const layer = (kernel: number[], outputs: number, fanIn: number) => ({
    kernel: variable(kernel, fanIn) as Tf.Variable<Tf.Rank.R4>,
    bias: variable([outputs], fanIn),
  });
  const wide = 2 * width;
  const time1 = layer([1, wide], wide, 1);
  const time2 = layer([wide, wide], wide, wide);
  const conv1 = layer([3, 3, 1, width], width, 9);
  const conv2 = layer([3, 3, width, wide], wide, 9 * width);
  const deconv1 = layer([3, 3, width, wide], width, 9 * width);
  const deconv2 = layer([3, 3, 1, width], 1, 9);
  const dense = (x: Tf.Tensor, { kernel, bias }: typeof time1): Tf.Tensor => tf.matMul(x, kernel).add(bias);
  const convolve = (x: Tf.Tensor4D, { kernel, bias }: typeof time1): Tf.Tensor4D =>
    tf.conv2d(x, kernel, 1, 'same').add(bias);
  const transposed = (x: Tf.Tensor4D, { kernel, bias }: typeof time1): Tf.Tensor4D => {
    const [batch, height, columns] = x.shape;
    return tf.conv2dTranspose(x, kernel, [batch, height, columns, kernel.shape[2]], 1, 'same').add(bias);
  };
  const predict = (xt: Tf.Tensor4D, t: Tf.Tensor1D): Tf.Tensor4D => {
    const time = dense(tf.relu(dense(t.cast('float32').div(T).reshape([-1, 1]), time1)), time2);
    let x = tf.relu(convolve(tf.relu(convolve(xt, conv1)), conv2));
    x = x.add(time.reshape([-1, 1, 1, wide]));
    return transposed(tf.relu(transposed(x, deconv1)), deconv2);
  };
  return { predict, dispose: () => tf.dispose(variables) };
}

function trainJob(tf: TensorFlow, workload: TrainWorkload): Job {
  const { batch, imageSize: side, recipe } = workload;
  const { predict, dispose } = network(tf, workload);
  const { abar, oneMinusAbar, T } = createSchedule(workload.schedule);
  const signal = tf.tensor1d(Float32Array.from(abar, Math.sqrt));
  const noise = tf.tensor1d(Float32Array.from(oneMinusAbar, Math.sqrt));
  const images = tf.tidy(() => tf.randomUniform([1024, side, side, 1], 0, 256).floor());
  const adam = tf.train.adam(recipe.learningRate, 0.9, 0.999, 1e-8);
  const step = (): void => {
    const loss = tf.tidy(() => {
      const x0 = tf
        .gather(images, tf.randomUniform([batch], 0, 1024, 'int32'))
        .div(127.5)
        .sub(1) as Tf.Tensor4D;
      const eps = tf.randomNormal(x0.shape) as Tf.Tensor4D;
      const t = tf.randomUniform([batch], 0, T, 'int32') as Tf.Tensor1D;
      const at = (table: Tf.Tensor): Tf.Tensor => tf.gather(table, t).reshape([-1, 1, 1, 1]);
      const xt = x0.mul(at(signal)).add(eps.mul(at(noise))) as Tf.Tensor4D;
      return adam.minimize(() => tf.squaredDifference(eps, predict(xt, t)).mean() as Tf.Scalar, true)!;
    });
    loss.dataSync();
    loss.dispose();
  };
  return {
    run: () => timed(step),
    dispose: () => {
      adam.dispose();
      tf.dispose([signal, noise, images]);
      dispose();
    },
  };
}

function stepsJob(tf: TensorFlow, workload: SampleWorkload): Job {
  const { batch, imageSize: side, group = 1 } = workload;
  const { predict, dispose } = network(tf, workload);
  const { alphas, betas, oneMinusAbar, T } = createSchedule(workload.schedule);
  const shape: [number, number, number, number] = [batch, side, side, 1];
  let x = tf.randomNormal(shape) as Tf.Tensor4D;
  let t = T - 1;
  const step = (): void => {
    const next = tf.tidy(() => {
      if (t < 0) t = T - 1;
      const eps = predict(x, tf.fill([batch], t, 'int32') as Tf.Tensor1D);
      const mean = x.sub(eps.mul(betas[t] / Math.sqrt(oneMinusAbar[t]))).div(Math.sqrt(alphas[t]));
      return (t > 0 ? mean.add(tf.randomNormal(shape).mul(Math.sqrt(betas[t]))) : mean) as Tf.Tensor4D;
    });
    x.dispose();
    x = next;
    t -= 1;
  };
  return {
    run: async () => {
      const elapsed = await timed(async () => {
        for (let i = 0; i < group; i++) step();
        await x.data();
      });
      return elapsed / group;
    },
    dispose: () => {
      x.dispose();
      dispose();
    },
  };
}

/** A workload of the notes' network on `tf`. @throws for another network, and for whole samples. */
export function stockJob(tf: TensorFlow, workload: Workload): Job {
  if (workload.kind === 'train') return trainJob(tf, workload);
  if (workload.kind === 'sampleSteps') return stepsJob(tf, workload);
  throw new Error(`There is no ${workload.kind} here, only training and single steps.`);
}
