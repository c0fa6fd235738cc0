/** Which workloads are measured, in which order, and for how long. */
import type { ModelConfig } from '../models';
// Not from the folder's face: the benchmark itself computes nothing, so it need not start TensorFlow.
import { presets, type Preset } from '../models/presets';
import type { Contender } from './contenders';
import type { SampleWorkload, TrainWorkload, Workload } from './workload';

export interface Planned {
  /** Begins the names of its ratios: `<id>_vs_best`. */
  id: string;
  label: string;
  /** Which table it belongs to. */
  group: 'main' | 'growth';
  workload: Workload;
  /** How long its rounds may take, about; at least `fewest` are run. */
  seconds: number;
  fewest: number;
  /** Of those that could take part, the ones that do. */
  only?: (contender: Contender) => boolean;
  /** Leave out all but the fastest of each family in the workload of that id. */
  fastestOf?: string;
}

export interface PlanOptions {
  quick?: boolean;
}

const { lecture2025: notes, small } = presets;

const withModel = (preset: Preset, model: ModelConfig): Preset => ({ ...preset, model });
const narrow = withModel(notes, { kind: 'lecture2025', T: 300, width: 16 });

const training = (preset: Preset, batch: number, imageSize = 28): TrainWorkload => {
  const { model, schedule, training: recipe } = preset;
  return { kind: 'train', model, schedule, recipe, imageSize, batch };
};

function sampling(preset: Preset, what: Pick<SampleWorkload, 'kind' | 'batch'> & Partial<SampleWorkload>) {
  const { model, schedule, sampling: recipe } = preset;
  const workload: SampleWorkload = {
    model,
    schedule,
    imageSize: 28,
    sampler: 'ddpm',
    ...recipe,
    ...what,
  };
  return workload;
}

const steps = (preset: Preset, group: number): SampleWorkload =>
  sampling(preset, { kind: 'sampleSteps', batch: 16, group });

/** The workloads of a run; `quick` leaves out what takes long. */
export function plan({ quick = false }: PlanOptions = {}): Planned[] {
  const seconds = quick ? 10 : 60;
  const fewest = quick ? 3 : 7;
  const main = (id: string, label: string, workload: Workload, more: Partial<Planned> = {}): Planned => ({
    id,
    label,
    group: 'main',
    workload,
    seconds,
    fewest,
    ...more,
  });
  const ddim = sampling(small, { kind: 'sample', sampler: 'ddim', steps: 20, batch: 64 });
  const ddpm = sampling(small, { kind: 'sample', batch: 64 });
  return [
    main('train_large', 'train, notes 64/128, batch 128', training(notes, 128)),
    main('sample_large', 'step, notes 64/128, 16 images', steps(notes, 10), { seconds: seconds / 2 }),
    main('train_small', 'train, notes 16/32, batch 16', training(narrow, 16), { seconds: seconds / 2 }),
    main('sample_small', 'step, notes 16/32, 16 images', steps(narrow, 30), { seconds: seconds / 2 }),
    main('unet_train', 'train, U-Net, batch 64', training(small, 64)),
    main('unet_sample', 'step, U-Net, 16 images', steps(small, 10), { seconds: seconds / 2 }),
    ...(quick ? [] : [main('unet_train_128', 'train, U-Net, batch 128', training(small, 128))]),
    main('unet_ddim', 'DDIM-20, U-Net, 64 images', ddim, quick ? { fewest: 2 } : {}),
    main('unet_ddpm', 'DDPM-200, U-Net, 64 images', ddpm, {
      fewest: quick ? 1 : 3,
      ...(quick && { fastestOf: 'unet_ddim' }),
    }),
    ...(quick ? [] : growth()),
  ];
}

/** How the cost of a training step grows, ours only: with the batch, and with size and channels from batch 64 on. */
function growth(): Planned[] {
  const one = (id: string, label: string, workload: TrainWorkload): Planned => ({
    id: `growth_${id}`,
    label,
    group: 'growth',
    workload,
    seconds: 8,
    fewest: 3,
    only: ({ id }) => id === 'ours-float32' || id === 'ours-bfloat16',
  });
  const unet = small.model as Extract<ModelConfig, { kind: 'unet' }>;
  const sized = (imageSize: number) => withModel(small, { ...unet, imageSize });
  const wide = (factor: number) =>
    withModel(small, { ...unet, channels: unet.channels.map((n) => n * factor) });
  return [
    ...[16, 32, 64, 128, 256, 512].map((batch) =>
      one(`batch_${batch}`, `batch ${batch}`, training(small, batch)),
    ),
    ...[32, 64].map((side) => one(`side_${side}`, `${side} x ${side}`, training(sized(side), 64, side))),
    ...[2, 4].map((factor) => one(`width_${factor}`, `channels x ${factor}`, training(wide(factor), 64))),
  ];
}
