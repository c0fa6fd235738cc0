/** The workloads as users of this library run them: `train`, and the samplers. */
import type { Dataset } from '../datasets';
import { createSchedule } from '../diffusion';
import { createGenerator, tf } from '../engine';
import { writeSafetensors, type StoredTensor } from '../io';
import { createModel } from '../models';
import { ddim, ddpm, sample, timesteps, type SamplingState } from '../sampling';
import { startRun, train } from '../training';
import { convolutionJob } from './convolution';
import { timed, type Job } from './job';
import type { SampleWorkload, TrainWorkload, Variant, Workload } from './workload';

export function ourJob(workload: Workload, variant: Variant): Job {
  switch (workload.kind) {
    case 'train':
      return trainJob(workload, variant);
    case 'sampleSteps':
      return stepsJob(workload, variant);
    case 'sample':
      return sampleJob(workload, variant);
    case 'convolution':
      return convolutionJob(workload, variant.precision ?? 'float32');
  }
}

/** Random pictures: what they show does not change what a step costs. */
function pictures(side: number): Dataset {
  const count = 4096;
  const images = tf.tidy(() =>
    Uint8Array.from(
      createGenerator(0)
        .integers([count * side * side], { min: 0, max: 256 })
        .dataSync(),
    ),
  );
  const what = { kind: 'images', name: 'noise', split: 'train', classes: 1, range: [-1, 1] } as const;
  return { ...what, count, height: side, width: side, channels: 1, images, labels: new Uint8Array(count) };
}

function trainJob({ model, schedule, recipe, imageSize, batch }: TrainWorkload, variant: Variant): Job {
  const { eager, precision } = variant;
  const training = { ...recipe, batchSize: batch, decay: 'none', eager, precision } as const;
  const sampling = { variance: 'beta', clipDenoised: false } as const;
  const preset = { name: 'benchmark', description: '', schedule, model, training, sampling };
  const run = startRun({ preset, dataset: pictures(imageSize), seed: 0, steps: Number.MAX_SAFE_INTEGER });
  const steps = train(run.options);
  return {
    run: () => timed(() => steps.next()),
    dispose: async () => {
      await steps.return(undefined);
      run.dispose();
    },
  };
}

function sampling(workload: SampleWorkload, { eager, precision }: Variant) {
  const { schedule: config, sampler, variance, clipDenoised, batch, imageSize, steps } = workload;
  const model = createModel(workload.model, createGenerator(0));
  const schedule = createSchedule(config);
  const options = {
    denoiser: model.predict,
    schedule,
    generator: createGenerator(1),
    shape: [batch, imageSize, imageSize, 1],
    clipDenoised,
    timesteps: steps ? timesteps({ T: schedule.T, steps }) : undefined,
    ...(sampler === 'ddpm' && { variance }),
    ...(eager && { eager }),
    ...(precision && { precision }),
  };
  return { model, options };
}

function sampleJob(workload: SampleWorkload, variant: Variant): Job {
  const { model, options } = sampling(workload, variant);
  const draw = async (list = options.timesteps): Promise<void> => {
    const { sampler, batch: batchSize } = workload;
    const images = await sample({ ...options, timesteps: list, sampler, batchSize });
    await images.data();
    images.dispose();
  };
  const warmUp = (): Promise<void> => draw([options.schedule.T - 1, 0]);
  return { run: () => timed(() => draw()), warmUp, dispose: () => model.dispose() };
}

function stepsJob(workload: SampleWorkload, variant: Variant): Job {
  const { model, options } = sampling(workload, variant);
  const { group = 1 } = workload;
  // As `sample` runs it.
  const every = Math.min(group, 10);
  const begin = (): AsyncGenerator<SamplingState> =>
    (workload.sampler === 'ddim' ? ddim : ddpm)({ ...options, every });
  let chain = begin();
  let nfe = 0;
  /** Goes on until `group` more steps are done (a sampler may yield several at once), from the start again if need be. */
  const advance = async (): Promise<number> => {
    let done = 0;
    for (;;) {
      const { value } = await chain.next();
      if (!value) {
        chain = begin();
        nfe = 0;
        continue;
      }
      done += value.nfe - nfe;
      nfe = value.nfe;
      if (done < group) continue;
      await value.xt.data(); // a GPU may still be at work
      return done;
    }
  };
  return {
    run: async () => {
      let steps = 0;
      const elapsed = await timed(async () => (steps = await advance()));
      return elapsed / steps;
    },
    dispose: async () => {
      await chain.return(undefined);
      model.dispose();
    },
  };
}

/**
 * Writes a network's weights, an input and the output for it, for another implementation to be compared with. Every weight
 * is moved away from where it starts, since zeros would hide whatever lies before them.
 */
export async function writeReference(workload: Workload, file: string): Promise<void> {
  if (workload.kind === 'convolution') throw new Error('A convolution has no weights to compare.');
  const model = createModel(workload.model, createGenerator(0));
  const random = createGenerator(2);
  const { imageSize, schedule } = workload;
  const stored: [string, StoredTensor][] = [];
  const store = (name: string, x: tf.Tensor): void => {
    stored.push([name, { dtype: 'F32', shape: x.shape, data: Float32Array.from(x.dataSync()) }]);
  };
  tf.tidy(() => {
    for (const [path, variable] of model.parameters) {
      variable.assign(tf.add(variable, tf.mul(random.fork(path).normal(variable.shape), 0.05)));
      store(path, variable);
    }
    const xt = random.fork('xt').normal([3, imageSize, imageSize, 1]);
    const steps = Int32Array.of(0, Math.floor(schedule.T / 2), schedule.T - 1);
    store('input/xt', xt);
    stored.push(['input/t', { dtype: 'I32', shape: [3], data: steps }]);
    store('output/eps', model.predict(xt, tf.tensor1d(steps, 'int32')));
  });
  model.dispose();
  writeSafetensors(file, stored);
}
