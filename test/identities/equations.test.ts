import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** As `notebooks/equations.json` holds them. */
interface Entry {
  row: number;
  section: string;
  title: string;
  equation: string | null;
  notebook: string;
  cell: string;
  function: [file: string, name: string];
  test: [file: string, title: string];
}

interface Page {
  readEntries(root: string): Entry[];
  equationProblems(root: string, entries?: Entry[]): string[];
  equationPage(entries: Entry[]): string;
}

const { equationPage, equationProblems, readEntries } = require('../../lib/jupyter/equations') as Page;

const root = resolve(__dirname, '..', '..');
const entries = readEntries(root);

describe('the page of equations', () => {
  test('leads to a cell, a function and a test of every statement', () => {
    expect(equationProblems(root)).toEqual([]);
  });

  test('is what npm run equations makes', () => {
    expect(readFileSync(join(root, 'notebooks', 'equations.ipynb'), 'utf8')).toBe(equationPage(entries));
  });

  test('shows every equation once', () => {
    const { cells } = JSON.parse(equationPage(entries)) as { cells: { source: string[] }[] };
    const text = cells.map(({ source }) => source.join('')).join('\n');
    for (const { equation } of entries)
      if (equation)
        expect(text.split(`$$${equation}$$`).length - 1).toBe(
          entries.filter((e) => e.equation === equation).length,
        );
  });
});

describe('a broken link is found:', () => {
  const [good] = entries.filter(({ equation }) => equation);
  const found = (change: Partial<typeof good>): string[] => {
    const all = entries.map((entry) => (entry === good ? { ...entry, ...change } : entry));
    return equationProblems(root, all);
  };

  test.each<[string, Partial<typeof good>, string]>([
    ['notebook', { notebook: '99-none' }, 'there is no notebook 99-none'],
    ['cell', { cell: 'none' }, 'has no code cell none'],
    ['cell that only imports', { cell: 'imports' }, 'it checks nothing'],
    ['file', { function: ['lib/none.ts', 'f'] }, 'there is no file lib/none.ts'],
    ['function', { function: [good.function[0], 'noSuchFunction'] }, 'exports no noSuchFunction'],
    [
      'function that the notebook does not use',
      { function: ['lib/io/npy.ts', 'noSuch'] },
      'does not use noSuch',
    ],
    ['test file', { test: ['test/none.test.ts', 'x'] }, 'there is no file test/none.test.ts'],
    ['test', { test: [good.test[0], 'no such title'] }, "holds 'no such title' 0 times"],
    ['title of several tests', { test: [good.test[0], 'test'] }, 'times, not once'],
    ['test of something else', { test: ['test/identities/npy.test.ts', 'npy'] }, 'npy.test.ts'],
  ])('%s', (_, change, message) => {
    expect(found(change).join('\n')).toContain(message);
  });

  test('missing row, and rows out of order', () => {
    expect(
      equationProblems(
        root,
        entries.filter(({ row }) => row !== 12),
      ),
    ).toContain('row 12 is missing');
    expect(equationProblems(root, [...entries].reverse()).join('\n')).toContain('stands after a later row');
  });
});
