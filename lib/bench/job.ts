/** A workload that is ready to run. */
export interface Job {
  /** Runs one iteration and returns its milliseconds. */
  run(): Promise<number>;
  dispose(): Promise<void> | void;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
