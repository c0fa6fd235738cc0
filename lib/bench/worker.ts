/** The process of a contender in Node: this library, or the stock addon of TensorFlow.js. */
import { device } from '../engine';
import { trainFlops } from './flops';
import type { Job } from './job';
import { ourJob, writeReference } from './ours';
import { serve } from './protocol';

const jobs = new Map<string, Job>();

void serve({
  hello: () => {
    const { tensorflow } = device();
    return {
      versions: { TensorFlow: tensorflow, Node: process.version },
    };
  },
  prepare: async ({ id, workload, variant }) => {
    const job = ourJob(workload, variant);
    jobs.set(id, job);
    for (let i = 0; i < 2; i++) await job.run();
    return { note: '', difference: null };
  },
  run: async ({ id, iterations }) => {
    const milliseconds: number[] = [];
    for (let i = 0; i < iterations; i++) milliseconds.push(await jobs.get(id)!.run());
    return { milliseconds };
  },
  release: async ({ id }) => {
    await jobs.get(id)?.dispose();
    jobs.delete(id);
    return {};
  },
  reference: async ({ workload, file }) => {
    await writeReference(workload, file);
    return {};
  },
  flops: ({ workload }) => {
    if (workload.kind !== 'train') throw new Error('Only training steps are counted.');
    return trainFlops(workload);
  },
});
