/** The process of the stock addon: `node stockWorker.js <file of @tensorflow/tfjs-node>`; the engine is not loaded here. */
import type { tf as Tf } from '../engine';
import { jobHandlers } from './job';
import { serve } from './protocol';
import { stockJob } from './stock';

async function main(file: string): Promise<void> {
  const tf = (await import(file)) as typeof Tf & { version: Record<string, string> };
  await serve({
    hello: () => ({ versions: { 'tfjs-node': tf.version['tfjs-node'] ?? tf.version.tfjs } }),
    ...jobHandlers((workload) => stockJob(tf, workload)),
  });
}

void main(process.argv[2]);
