// Runs in a process of its own (see run.ts): tfjs-core's own jasmine suite on our engine.
// Arguments: the file that the result is written to, and the names of specs to leave out as a JSON file.
import { readFileSync, writeFileSync } from 'node:fs';
import { tf } from '../../lib/engine';
import type { ConformanceResult } from './run';

interface Spec {
  fullName: string;
  status: string;
  failedExpectations: { message: string }[];
}

const [resultFile, ignoredFile] = process.argv.slice(2);
const ignored: string[] = JSON.parse(readFileSync(ignoredFile, 'utf8'));
const result: ConformanceResult = { run: 0, failures: [] };

// Some specs print profiles and warnings, which say nothing about the result.
console.log = console.warn = () => undefined;

const jasmine = require('jasmine-core').boot();
const env = jasmine.getEnv();
env.configure({
  random: false,
  specFilter: (spec: { getFullName(): string }) => !ignored.some((name) => spec.getFullName().includes(name)),
});

env.clearReporters();
env.addReporter({
  specDone({ fullName, status, failedExpectations }: Spec) {
    if (status !== 'passed' && status !== 'failed') return;
    result.run++;
    if (status === 'failed') {
      result.failures.push({
        name: fullName,
        message: failedExpectations.map(({ message }) => message).join('; '),
      });
    }
    if (result.run % 500 === 0) {
      process.stdout.write(`conformance: ${result.run} specs, ${result.failures.length} failed\n`);
    }
  },
});

// `require`, for the order: the environments must be set before the specs register with them.
require('@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops');
require('@tensorflow/tfjs-core/dist/register_all_gradients');
require('@tensorflow/tfjs-core/dist/jasmine_util').setTestEnvs([
  { name: 'test-tensorflow', backendName: tf.getBackend(), flags: {}, isDataSync: true },
]);
require('@tensorflow/tfjs-core/dist/tests');

void env.execute().then(() => writeFileSync(resultFile, JSON.stringify(result)));
