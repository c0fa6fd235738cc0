/** The process of this library's contenders. */
import { device } from '../engine';
import { trainFlops } from './flops';
import { jobHandlers } from './job';
import { ourJob, writeReference } from './ours';
import { serve } from './protocol';

void serve({
  hello: () => ({ versions: { TensorFlow: device().tensorflow, Node: process.version } }),
  ...jobHandlers(ourJob),
  reference: async ({ workload, file }) => {
    await writeReference(workload, file);
    return {};
  },
  flops: ({ workload }) => {
    if (workload.kind !== 'train') throw new Error('Only training steps are counted.');
    return trainFlops(workload);
  },
});
