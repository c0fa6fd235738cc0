/** Who takes part, and in what. */
import type { Variant, Workload } from './workload';

export type Family = 'ours' | 'stock' | 'torch';

export interface Contender {
  id: string;
  /** What the table calls it. */
  label: string;
  family: Family;
  precision: 'float32' | 'bfloat16';
  variant: Variant;
  /** Contenders of one process share what it has loaded; default: a process of its own. */
  process?: string;
  /** Left out where it makes no difference; default: everywhere. */
  only?: Workload['kind'][];
  /** Takes long to get ready, so that `--quick` leaves it out. */
  slow?: boolean;
}

const adam = ['default', 'foreach', 'fused'];
const channelsLast = true;

export const contenders: readonly Contender[] = [
  {
    id: 'ours-eager',
    label: 'ours, op by op',
    family: 'ours',
    precision: 'float32',
    variant: { eager: true },
  },
  { id: 'ours-float32', label: 'ours, compiled', family: 'ours', precision: 'float32', variant: {} },
  {
    id: 'ours-bfloat16',
    label: 'ours, compiled, bfloat16',
    family: 'ours',
    precision: 'bfloat16',
    variant: { precision: 'bfloat16' },
  },
  { id: 'stock', label: 'tfjs-node, stock addon', family: 'stock', precision: 'float32', variant: {} },
  {
    id: 'torch-notes',
    label: 'PyTorch as the notes',
    family: 'torch',
    precision: 'float32',
    variant: {},
    process: 'PyTorch',
  },
  {
    id: 'torch-notes-fused',
    label: 'PyTorch as the notes, fused Adam',
    family: 'torch',
    process: 'PyTorch',
    precision: 'float32',
    variant: { adam: ['fused'] },
    only: ['train'],
  },
  {
    id: 'torch-channels-last',
    label: 'PyTorch channels-last',
    family: 'torch',
    process: 'PyTorch',
    precision: 'float32',
    variant: { channelsLast, adam },
  },
  {
    id: 'torch-bfloat16',
    label: 'PyTorch bfloat16 autocast, channels-last',
    family: 'torch',
    process: 'PyTorch',
    precision: 'bfloat16',
    variant: { channelsLast, bfloat16: true, adam },
  },
  {
    id: 'torch-compile',
    label: 'torch.compile, channels-last',
    family: 'torch',
    process: 'torch.compile',
    precision: 'float32',
    variant: { channelsLast, compile: true, adam },
    slow: true,
  },
  {
    id: 'torch-compile-bfloat16',
    label: 'torch.compile, bfloat16, channels-last',
    family: 'torch',
    process: 'torch.compile',
    precision: 'bfloat16',
    variant: { channelsLast, bfloat16: true, compile: true, adam },
  },
];

/** Whether a contender can, and should, run a workload. */
export function takesPart({ id, family, only }: Contender, workload: Workload): boolean {
  if (workload.kind === 'convolution') return id === 'ours-float32' || id === 'ours-bfloat16';
  if (only && !only.includes(workload.kind)) return false;
  return family !== 'stock' || (workload.model.kind === 'lecture2025' && workload.kind !== 'sample');
}
