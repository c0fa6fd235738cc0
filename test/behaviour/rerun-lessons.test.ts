/** The lessons themselves, with each cell run three times in a row: no cell may leave a tensor more than its first run. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { codeCells, execute, notebookFolder, writeNotebook, type Result } from '../helpers/notebooks';

const lessons = [
  '02-from-vae-to-diffusion',
  '03-elbo',
  '04-unet',
  '07-ddim',
  '08-variational-diffusion',
  '09-original-2015',
];
const repeats = 3;
/** The first cell: counts the tensors after each run of a cell. Its names must not occur in a lesson. */
const counting = `
import { tf as countedTf } from 'tsdiffusion';
const tensorCounts: Record<string, number[]> = {};
const noteTensors = (cell: string) => void (tensorCounts[cell] ??= []).push(countedTf.memory().numTensors);`;
/** The last cell: fails if a cell has left more after its second or third run than after its first. */
const judging = `
const tensorLeaks = Object.entries(tensorCounts).filter(([, list]: [string, number[]]) => list.some((n) => n !== list[0]));
if (tensorLeaks.length > 0)
  throw new Error(tensorLeaks.map(([cell, list]) => 'cell ' + cell + ' leaves ' + list + ' tensors').join('; '));`;

/** Whether a cell holds nothing but imports, types and comments. */
const onlyImports = (source: string): boolean =>
  source.replace(/\/\/.*|\/\*[^]*?\*\/|^import\b[^;]*;|^type\b[^;]*;|^interface\b[^]*?^}/gm, '').trim() ===
  '';

function repeated(cells: { id: string; source: string }[]): string[] {
  const runs = cells.flatMap(({ id, source }) =>
    Array<string>(onlyImports(source) ? 1 : repeats).fill(`${source}\nnoteTensors('${id}');`),
  );
  return [counting, ...runs, judging];
}

let folder: string;
let results: Map<string, Result>;

beforeAll(() => {
  folder = notebookFolder('rerun-lessons');
  const notebooks: Record<string, { id: string; source: string }[]> = {
    leaky: [
      { id: 'imports', source: "import { tf } from 'tsdiffusion';" },
      { id: 'clean', source: 'tf.tidy(() => void tf.zeros([1]));' },
      { id: 'keeps', source: 'const kept = tf.zeros([1]);' },
    ],
    ...Object.fromEntries(lessons.map((lesson) => [lesson, codeCells(lesson)])),
  };
  const files = Object.entries(notebooks).map(([name, cells]) => {
    const file = path.join(folder, `${name}.ipynb`);
    writeNotebook(file, repeated(cells));
    return file;
  });
  ({ results } = execute(files, ['--keep-going', '--jobs', '2'], { env: { TSDIFFUSION_BUDGET: '0.01' } }));
}, 900_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test.each(lessons)('lesson %s, each cell three times', (lesson) => {
  expect(results.get(lesson)?.failures).toEqual([]);
});

test('a cell that keeps a tensor is found, by name', () => {
  const [failure, ...others] = results.get('leaky')?.failures ?? [];
  expect(others).toEqual([]);
  expect(failure.message).toMatch(/cell keeps leaves (\d+),\d+,\d+ tensors/);
  expect(failure.message).not.toMatch(/cell clean/);
});
