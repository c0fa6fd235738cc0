/** How much arithmetic a training step is, from the shapes of the kernels that it runs. */
import { createSchedule, noiseMse, qSample } from '../diffusion';
import { createGenerator, tf } from '../engine';
import { createModel } from '../models';
import { kernelFlops, largestConvolution, type Kernel } from './counting';
import type { ConvolutionWorkload, TrainWorkload } from './workload';

/** The kernels of one loss and its gradient, run op by op on a batch of one: all of them grow with the batch. */
async function kernelsOf({ model: config, schedule: table, imageSize }: TrainWorkload): Promise<Kernel[]> {
  const model = createModel(config, createGenerator(0));
  const schedule = createSchedule(table);
  const x0 = tf.zeros([1, imageSize, imageSize, 1]);
  const t = tf.tensor1d([0], 'int32');
  try {
    const { kernels } = await tf.profile(() => {
      const { value, grads } = tf.variableGrads(
        () => noiseMse(x0, model.predict(qSample({ schedule, x0, t, eps: x0 }), t)),
        [...model.parameters.values()],
      );
      tf.dispose([value, grads]);
    });
    return kernels.map(({ name, inputShapes, outputShapes }) => ({ name, inputShapes, outputShapes }));
  } finally {
    tf.dispose([x0, t]);
    model.dispose();
  }
}

/** Operations of the contractions in a training step (the rest is counted as nothing), and the largest of them. */
export async function trainFlops(
  workload: TrainWorkload,
): Promise<{ flops: number; convolution: ConvolutionWorkload }> {
  const kernels = await kernelsOf(workload);
  const convolution = largestConvolution(kernels, workload.batch);
  if (!convolution) throw new Error('The network has no convolution.');
  return { flops: workload.batch * kernels.reduce((sum, one) => sum + kernelFlops(one), 0), convolution };
}
