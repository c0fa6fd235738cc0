// `npm run equations`: writes the page of equations, and says which of its links are broken.
'use strict';

const path = require('node:path');
const { equationPage, equationProblems, readEntries } = require('../../jupyter/equations');
const { writeAtomic } = require('../files');

/** @type {import('.').Command['run']} */
async function equations(project) {
  const entries = readEntries(project.root);
  const problems = equationProblems(project.root, entries);
  writeAtomic(path.join(project.root, 'notebooks', 'equations.ipynb'), equationPage(entries));
  problems.forEach((problem) => console.error(problem));
  console.log(
    `written: notebooks/equations.ipynb, ${entries.length} statements, ${problems.length} broken links`,
  );
  return problems.length === 0 ? 0 : 1;
}

module.exports = { equations };
