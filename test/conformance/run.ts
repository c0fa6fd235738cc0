import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { bundle, ROOT } from './bundle';

export interface ConformanceResult {
  /** Specs that ran (ignored ones do not count). */
  run: number;
  failures: { name: string; message: string }[];
}

/**
 * Names (or parts of names) of the specs that tfjs-node's own run leaves out, from its package: the list stands in the
 * program that runs its tests, which cannot be imported without running them.
 */
export function ignoredSpecs(): string[] {
  const source = readFileSync(join(ROOT, 'node_modules/@tensorflow/tfjs-node-gpu/dist/run_tests.js'), 'utf8');
  const list = /IGNORE_LIST = (\[[\s\S]*?\n\]);/.exec(source);
  if (!list)
    throw new Error('tfjs-node-gpu has no list of ignored specs where it used to be (dist/run_tests.js).');
  return Array.from(runInNewContext(list[1]) as string[]);
}

/** Runs the suite on the engine, in a process of its own. */
export function runConformance(): ConformanceResult {
  const program = bundle(join(__dirname, 'suite.ts'), 'suite.js');
  const [ignored, result] = ['ignored.json', 'result.json'].map((name) => join(dirname(program), name));
  rmSync(result, { force: true });
  writeFileSync(ignored, JSON.stringify(ignoredSpecs()));
  const child = spawnSync(process.execPath, [program, result, ignored], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (child.status !== 0) {
    throw new Error(`The conformance suite ended with ${child.signal ?? child.status}:\n${child.stderr}`);
  }
  return JSON.parse(readFileSync(result, 'utf8'));
}
