import { afterEach, beforeEach, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const root = path.resolve(__dirname, '..', '..');
const load = (name: string) => require(path.join(root, 'lib', 'setup', name));
const { openProject } = load('project');
const { buildStep } = load('steps/build');
const { kernelspecStep } = load('steps/kernelspec');
const report = { update() {} };

let folder: string;
let project: { root: string; library: string; kernelspec: string };
const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
};
const built = (name: string) => path.join(project.library, name);

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-build-'));
  project = openProject(folder);
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  for (const name of ['typescript', '@types/node']) {
    fs.symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
  fs.copyFileSync(path.join(root, 'tsconfig.json'), path.join(folder, 'tsconfig.json'));
  write('package.json', '{ "version": "1.2.3" }');
  write('lib/index.ts', "export { answer } from './part/answer';\n");
  write('lib/part/answer.ts', 'export const answer: number = 42;\n');
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

test('compiles, stays done, and compiles what is edited', () => {
  const step = buildStep(project);
  expect(step.isDone()).toBe(false);
  expect(step.run(report)).toBe('compiled');
  expect(step.isDone()).toBe(true);
  expect(JSON.parse(fs.readFileSync(built('package.json'), 'utf8'))).toEqual({
    name: 'tsdiffusion',
    version: '1.2.3',
    main: 'index.js',
    types: 'index.d.ts',
  });
  const index = fs.statSync(built('index.js')).mtimeMs;

  write('lib/part/answer.ts', 'export const answer: number = 4321;\n');
  expect(step.isDone()).toBe(false);
  step.run(report);
  expect(fs.readFileSync(built('part/answer.js'), 'utf8')).toContain('4321');
  expect(fs.statSync(built('index.js')).mtimeMs).toBe(index);
});

test('removes what was compiled from a file that is gone, and restores what was deleted', () => {
  const step = buildStep(project);
  write('lib/extra.ts', 'export const extra = 1;\n');
  step.run(report);
  expect(fs.existsSync(built('extra.js'))).toBe(true);
  fs.rmSync(path.join(folder, 'lib', 'extra.ts'));
  step.run(report);
  expect(fs.existsSync(built('extra.js'))).toBe(false);
  expect(fs.existsSync(built('extra.d.ts'))).toBe(false);

  fs.rmSync(built('part'), { recursive: true });
  fs.rmSync(built('.stamp'));
  step.run(report);
  expect(fs.existsSync(built('part/answer.js'))).toBe(true);
});

test('type errors are one clear failure, the JavaScript is there all the same, and correcting them helps', () => {
  const step = buildStep(project);
  write('lib/part/answer.ts', "export const answer: number = 'text';\n");
  const failure = /lib\/part\/answer\.ts\(1,14\): error TS2322: .*\n\nlib has type errors: correct them/;
  expect(() => step.run(report)).toThrow(failure);
  expect(step.isDone()).toBe(false);
  expect(step.errors()).toContain('TS2322');
  expect(fs.readFileSync(built('part/answer.js'), 'utf8')).toContain("'text'");
  // The second run knows the errors without compiling.
  fs.rmSync(path.join(folder, 'node_modules', 'typescript'));
  expect(() => buildStep(project).run(report)).toThrow(failure);
  fs.symlinkSync(
    path.join(root, 'node_modules', 'typescript'),
    path.join(folder, 'node_modules', 'typescript'),
  );

  write('lib/part/answer.ts', 'export const answer: number = 7;\n');
  expect(step.run(report)).toBe('compiled');
  expect(step.isDone()).toBe(true);
});

test('the kernelspec has absolute paths and is rewritten when it differs', () => {
  const step = kernelspecStep(project);
  expect(step.isDone()).toBe(false);
  step.run(report);
  expect(step.isDone()).toBe(true);
  const file = path.join(project.kernelspec, 'kernel.json');
  const spec = JSON.parse(fs.readFileSync(file, 'utf8'));
  expect(spec.argv).toEqual([
    process.execPath,
    path.join(folder, 'lib', 'jupyter', 'kernel.js'),
    '{connection_file}',
  ]);
  expect(spec.display_name).toBe('TypeScript (tsdiffusion)');
  fs.writeFileSync(file, JSON.stringify({ ...spec, argv: ['/old/node', ...spec.argv.slice(1)] }));
  expect(step.isDone()).toBe(false);
});
