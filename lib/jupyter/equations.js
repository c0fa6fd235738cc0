// The page `notebooks/equations.ipynb`: where each equation of the lecture notes is evaluated, defined and tested.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * @typedef {object} Entry       one statement of the notes
 * @property {number} row        its place in the order of the notes, from 1
 * @property {string} section    title of the section, the notes' own
 * @property {string} title      the statement, in a few words
 * @property {string | null} equation   LaTeX without dollars, or null where the notes have words only
 * @property {string} notebook   file name without extension
 * @property {string} cell       id of the code cell that evaluates it, and throws where it does not hold
 * @property {[file: string, name: string]} function   what computes it, from the project's folder
 * @property {[file: string, title: string]} test      the jest test of that: a part of its title that no other test has
 */

/** Places in the order of the notes; a page without one of them is not complete. */
const ROWS = 22;

/** @param {string} root @returns {Entry[]} */
const readEntries = (root) =>
  JSON.parse(fs.readFileSync(path.join(root, 'notebooks', 'equations.json'), 'utf8'));

/** @param {string} file @returns {string | undefined} */
const textOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined);

/** @param {string} name */
const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Whether code has one of these names in it.
 * @param {string} code @param {string[]} names
 */
const mentions = (code, names) => names.some((name) => new RegExp(`\\b${name}\\b`).test(code));

/**
 * `throw`, and the functions of a notebook that throw, themselves or through another one of its functions.
 * @param {string[]} code  of the cells
 */
function throwing(code) {
  const statements = code.flatMap((cell) => cell.split(/\n(?=[^\s})\]])/));
  const functions = statements.flatMap((statement) => {
    const named = /^(?:async )?function (\w+)|^const (\w+) = (?:async )?(?:\(|\w+ =>)[^\n]*(?:=>|$)/.exec(
      statement,
    );
    return named ? [{ name: named[1] ?? named[2], statement }] : [];
  });
  const names = ['throw'];
  for (let before = 0; before < names.length;) {
    before = names.length;
    for (const { name, statement } of functions)
      if (!names.includes(name) && mentions(statement, names)) names.push(name);
  }
  return names;
}

/**
 * What is wrong with the cell of an entry.
 * @param {string} root @param {Entry} entry @returns {string[]}
 */
function cellProblems(root, { notebook: name, cell: id, equation, function: [, used] }) {
  const text = textOf(path.join(root, 'notebooks', `${name}.ipynb`));
  if (text === undefined) return [`there is no notebook ${name}`];
  /** @type {{ id: string, cell_type: string, source: string | string[], execution_count?: number | null }[]} */
  const cells = JSON.parse(text).cells;
  const cell = cells.find((one) => one.id === id);
  if (!cell || cell.cell_type !== 'code') return [`${name} has no code cell ${id}`];
  const source = [cell.source].flat().join('');
  const code = cells.filter((one) => one.cell_type === 'code').map((one) => [one.source].flat().join(''));
  const throws = mentions(source, throwing(code));
  const problems = [];
  if (!cell.execution_count) problems.push(`cell ${id} of ${name} was never run`);
  if (equation && !throws) problems.push(`cell ${id} of ${name} never throws: it checks nothing`);
  if (!code.some((one) => new RegExp(`\\b${escaped(used)}\\b`).test(one)))
    problems.push(`${name} does not use ${used}`);
  return problems;
}

/**
 * What is wrong with function and test of an entry.
 * @param {string} root @param {Entry} entry @returns {string[]}
 */
function codeProblems(root, { function: [file, name], test: [testFile, title] }) {
  const problems = [];
  const source = textOf(path.join(root, file));
  const declared = new RegExp(`^export (?:async )?(?:function\\*?|const|class) ${escaped(name)}\\b`, 'm');
  if (source === undefined) problems.push(`there is no file ${file}`);
  else if (!declared.test(source)) problems.push(`${file} exports no ${name}`);
  const tests = textOf(path.join(root, testFile));
  const places = tests?.split(title).length ?? 0;
  if (tests === undefined) problems.push(`there is no file ${testFile}`);
  else if (places !== 2) problems.push(`${testFile} holds '${title}' ${places - 1} times, not once`);
  else if (!new RegExp(`\\b${escaped(name)}\\b`).test(tests))
    problems.push(`${testFile} does not use ${name}`);
  return problems;
}

/**
 * Broken links, rows that are missing or out of order: one line each, none if all is well.
 * @param {string} root  the project's folder
 * @param {Entry[]} [entries]
 * @returns {string[]}
 */
function equationProblems(root, entries = readEntries(root)) {
  const problems = entries.flatMap((entry, i) =>
    [
      ...(entry.row < (entries[i - 1]?.row ?? 1) ? ['stands after a later row'] : []),
      ...cellProblems(root, entry),
      ...codeProblems(root, entry),
    ].map((problem) => `row ${entry.row}, ${entry.title}: ${problem}`),
  );
  for (let row = 1; row <= ROWS; row++)
    if (!entries.some((entry) => entry.row === row)) problems.push(`row ${row} is missing`);
  return problems;
}

/** @param {string} file  from the project's folder */
const link = (file) => `../${file}`;

/** @param {Entry} entry */
const markdownOf = ({ title, equation, notebook, cell, function: [file, name], test: [testFile, test] }) =>
  [
    `**${title}**`,
    ...(equation ? [`$$${equation}$$`] : []),
    [
      `- evaluated in [${notebook}, cell \`${cell}\`](${notebook}.ipynb#cell-id=${cell})`,
      `- computed by \`${name}\` of [${file}](${link(file)})`,
      `- tested in [${testFile}](${link(testFile)}): “${test}”`,
    ].join('\n'),
  ].join('\n\n');

/**
 * The page as a notebook without code: one cell a section.
 * @param {Entry[]} entries
 * @returns {string}
 */
function equationPage(entries) {
  const equations = entries.filter(({ equation }) => equation).length;
  const sections = [...new Set(entries.map(({ section }) => section))];
  const head = [
    '# Every equation of the lecture notes',
    `${entries.length} statements in ${sections.length} sections, in the order of the notes; ${equations} are equations. Each has a cell that evaluates it and fails where it does not hold, a function of the library that computes it, and a test of that function.`,
    'In JupyterLab the first link opens the notebook and leads to the cell; where the notebook was not open before, it can stay at its head: click once more.',
    'This page is made by `npm run equations` from `equations.json`; a test fails when one of its links breaks.',
  ].join('\n\n');
  const parts = sections.map((section) =>
    [`## ${section}`, ...entries.filter((entry) => entry.section === section).map(markdownOf)].join('\n\n'),
  );
  const cells = [head, ...parts].map((source, i) => ({
    cell_type: 'markdown',
    id: i === 0 ? 'title' : `section-${i}`,
    metadata: {},
    source: source.split(/(?<=\n)/),
  }));
  const metadata = {
    kernelspec: { display_name: 'TypeScript (tsdiffusion)', language: 'typescript', name: 'tsdiffusion' },
    language_info: { name: 'typescript' },
  };
  return `${JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, undefined, 1)}\n`;
}

module.exports = { equationPage, equationProblems, readEntries };
