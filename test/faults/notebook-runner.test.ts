import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Cell, execute, notebookFolder, printed, writeNotebook } from '../helpers/notebooks';

interface Failure {
  cell: number;
  message: RegExp;
}

// tslab reports none of these as a Jupyter error; each of them must turn the run red all the same.
const red: Record<string, { cells: Cell[]; failures: Failure[] }> = {
  throws: {
    cells: ['const x = 1;', '// the second cell\nthrow new Error("kaboom");', 'console.log("not reached")'],
    failures: [{ cell: 2, message: /Error: kaboom/ }],
  },
  'does-not-type-check': {
    cells: ['const x: number = "text";'],
    failures: [{ cell: 1, message: /Type 'string' is not assignable to type 'number'/ }],
  },
  'rejects-awaited': {
    cells: ['await Promise.reject(new Error("awaited"));'],
    failures: [{ cell: 1, message: /Error: awaited/ }],
  },
  'exits-the-process': {
    cells: ['process.exit(0)'],
    failures: [{ cell: 1, message: /ended the kernel's process/ }],
  },
  'loops-for-ever': { cells: ['for (;;) {}'], failures: [{ cell: 1, message: /did not end within 5 s/ }] },
  'loops-after-await': {
    cells: ['await 0; for (;;) {}'],
    failures: [{ cell: 1, message: /did not end within 5 s/ }],
  },
  'grows-too-large': {
    cells: ['1', 'import { display } from "tslab";\ndisplay.html("x".repeat(1_000_001));'],
    failures: [
      { cell: 2, message: /makes the executed notebook 1,00\d,\d+ bytes large \(at most 1,000,000\)/ },
    ],
  },
  // These do not stop a notebook, so that one shows them all.
  'has-quiet-faults': {
    cells: [
      'console.warn("careful")',
      'Promise.reject(new Error("nobody waits"));',
      { source: 'Promise.reject(new Error("stderr is allowed, this is not"));', tags: ['stderr-ok'] },
      { source: '1 + 1', tags: ['raises-exception'] },
      'for (let i = 0; i < 600; i++) console.log("x".repeat(99));',
      'new Promise((_, reject) => setTimeout(() => reject(new Error("late, in the last cell")), 50)); 0',
    ],
    failures: [
      { cell: 1, message: /^careful$/ },
      { cell: 2, message: /UnhandledPromiseRejection: Error: nobody waits/ },
      { cell: 3, message: /UnhandledPromiseRejection: Error: stderr is allowed, this is not/ },
      { cell: 4, message: /was expected to fail/ },
      { cell: 5, message: /^printed 60,000 characters \(at most 50,000\)$/ },
      { cell: 6, message: /UnhandledPromiseRejection: Error: late, in the last cell/ },
    ],
  },
};

const good: Cell[] = [
  'const x: number = 20;',
  'console.log(x + 1)',
  'await new Promise((resolve) => setTimeout(resolve, 10)); x + 2',
  'for (let i = 0; i < 3000; i++) console.log(i);',
  { source: 'console.warn("careful")', tags: ['stderr-ok'] },
  { source: 'throw new Error("as announced")', tags: ['raises-exception'] },
  'console.log("goes on")',
];

let folder: string;
let run: ReturnType<typeof execute>;
const file = (name: string) => path.join(folder, `${name}.ipynb`);

beforeAll(() => {
  folder = notebookFolder('runner');
  for (const [name, { cells }] of Object.entries(red)) writeNotebook(file(name), cells);
  writeNotebook(file('good'), good);
  fs.writeFileSync(file('is-no-notebook'), '{ "cells": [');
  const files = [...Object.keys(red), 'good', 'is-no-notebook'].map(file);
  run = execute(files, ['--keep-going', '--jobs', '4', '--timeout', '5', '--write']);
}, 180_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('a notebook that', () => {
  test.each(Object.entries(red))('%s is red', (name, { cells, failures }) => {
    const result = run.results.get(name);
    expect(result?.ok).toBe(false);
    const found = [...(result?.failures ?? [])].sort((a, b) => a.cell - b.cell);
    expect(found.map(({ cell }) => cell)).toEqual(failures.map(({ cell }) => cell));
    found.forEach(({ cell, line, message }, index) => {
      const source = cells[cell - 1];
      const [firstLine] = (typeof source === 'string' ? source : source.source).split('\n');
      expect(message).toMatch(failures[index].message);
      expect(line).toBe(firstLine);
      expect(run.stdout).toContain(`${name}.ipynb, cell ${cell}: ${firstLine}`);
    });
  });

  test('is no JSON is red', () => {
    expect(run.results.get('is-no-notebook')?.failures[0].message).toMatch(/cannot be read as a notebook/);
  });

  test('does nothing wrong is green', () => {
    expect(run.results.get('good')).toMatchObject({ ok: true, failures: [] });
    expect(run.stdout).toMatch(/^ok +test\/\.tmp\/.*\/good\.ipynb: [\d.]+ s, peak \d+ MB$/m);
  });
});

test('one red notebook makes the exit code 1', () => expect(run.status).toBe(1));

test('a peak of memory is measured', () => {
  expect(run.results.get('good')?.peakMegabytes).toBeGreaterThan(50);
});

test('--write puts the outputs of a green notebook in place', () => {
  expect(printed(file('good'), 1)).toBe('21\n');
  expect(printed(file('good'), 2)).toBe('22\n');
  expect(printed(file('good'), 3)).toMatch(/^0\n1\n[^]*\n2999\n$/);
  expect(printed(file('good'), 6)).toBe('goes on\n');
});

test('--write leaves a red notebook as it is', () => {
  expect(printed(file('throws'), 0)).toBe('');
  expect(fs.readFileSync(file('has-quiet-faults'), 'utf8')).not.toContain('"output_type"');
  expect(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
