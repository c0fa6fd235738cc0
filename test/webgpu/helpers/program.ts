/** Runs on the engine that TSDIFFUSION_DEVICE names and prints what came out as JSON, on the last line. */
import { device, ready, tf } from '../../../lib/engine';
import { cases } from './cases';
import { training } from './training';
import { workload } from './workload';

/** The kernels that `work` calls. */
async function kernelsOf(work: () => unknown): Promise<string[]> {
  const engine = tf.engine();
  const names = new Set<string>();
  const { runKernel } = engine;
  engine.runKernel = (name, ...rest) => {
    names.add(name);
    return runKernel.call(engine, name, ...rest) as never;
  };
  try {
    await work();
  } finally {
    engine.runKernel = runKernel;
  }
  return [...names].sort();
}

/** Results of every case by name, and the kernels that made them. */
async function runCases() {
  const values: Record<string, number[][]> = {};
  const kernels = await kernelsOf(async () => {
    for (const { name, run } of cases) {
      const results = tf.tidy(run);
      values[name] = [];
      for (const result of results) values[name].push(Array.from(await result.data()));
      tf.dispose(results);
    }
  });
  return { values, kernels, left: tf.memory().numTensors };
}

const programs: Record<string, (argument: string) => Promise<unknown>> = {
  training,
  workload: () => kernelsOf(workload),
  cases: runCases,
  // WebGPU leaves small tensors that are still on the host to JavaScript: not here.
  'cases on the device': () => {
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    return runCases();
  },
};

void (async () => {
  await ready();
  const result = await programs[process.argv[2]](process.argv[3]);
  console.log('\n' + JSON.stringify({ device: device(), result }));
})();
