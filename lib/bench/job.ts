/** Workloads that are ready to run, and how a worker in Node keeps them. */
import type { Handlers } from './protocol';
import type { Variant, Workload } from './workload';

export interface Job {
  /** Runs one iteration and returns its milliseconds. */
  run(): Promise<number>;
  /** What makes the later runs all alike; default: two runs. */
  warmUp?(): Promise<unknown>;
  dispose(): Promise<void> | void;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** The handlers that make, run and free jobs. */
export function jobHandlers(create: (workload: Workload, variant: Variant) => Job) {
  const jobs = new Map<string, Job>();
  const find = (id: string): Job => {
    const job = jobs.get(id);
    if (!job) throw new Error(`Nothing is prepared as '${id}'.`);
    return job;
  };
  return {
    prepare: async ({ id, workload, variant }) => {
      const job = create(workload, variant);
      jobs.set(id, job);
      // The first run compiles, the second finds caches and memory as all later ones do.
      if (job.warmUp) await job.warmUp();
      else for (let i = 0; i < 2; i++) await job.run();
      return { note: '', difference: null };
    },
    run: async ({ id, iterations }) => {
      const milliseconds: number[] = [];
      for (let i = 0; i < iterations; i++) milliseconds.push(await find(id).run());
      return { milliseconds };
    },
    release: async ({ id }) => {
      await find(id).dispose();
      jobs.delete(id);
      return {};
    },
  } satisfies Handlers;
}
