// What the npm scripts of package.json can ask for.
'use strict';

const path = require('node:path');
const { runInForeground, pythonEnvironment } = require('../children');
const { doctor } = require('./doctor');
const { equations } = require('./equations');
const { start } = require('./start');

/**
 * @typedef {object} Command
 * @property {import('../steps').StepName[]} needs
 * @property {(project: import('../project').Project, args: string[]) => Promise<number>} run   gives the exit code
 */

/** @type {import('../steps').StepName[]} */
const everything = ['platform', 'packages', 'python', 'runtime', 'build', 'kernelspec'];
/** @type {import('../steps').StepName[]} */
const tools = ['platform', 'packages'];

/**
 * A program of node_modules or of the compiled library, run by this Node.
 * @param {string} file  below node_modules
 * @param {string[]} [first]
 * @returns {Command['run']}
 */
const node =
  (file, first = []) =>
  (project, args) =>
    runInForeground(process.execPath, [path.join(project.modules, file), ...first, ...args], {
      cwd: project.root,
    });

/** @type {Command['run']} */
const notebooks = (project, args) =>
  runInForeground(project.python, [path.join(project.root, 'lib', 'jupyter', 'execute.py'), ...args], {
    cwd: project.root,
    env: pythonEnvironment(),
  });

/** @type {Command['run']} */
async function lint(project) {
  const checks = [
    node('eslint/bin/eslint.js', ['lib', 'test']),
    node('prettier/bin/prettier.cjs', ['--check', '.']),
    node('typescript/bin/tsc', ['--noEmit', '-p', 'test']),
    node('typescript/bin/tsc', ['--noEmit', '-p', 'lib/setup']),
  ];
  let worst = 0;
  for (const check of checks) worst = Math.max(worst, await check(project, []));
  return worst;
}

/** @type {Command['run']} */
async function setup() {
  console.log('Everything is in place: `npm start` opens JupyterLab, `npm test` runs the tests.');
  return 0;
}

/** @type {Record<string, Command>} */
const commands = {
  start: { needs: everything, run: start },
  test: { needs: everything, run: node('jest/bin/jest.js') },
  ...Object.fromEntries(
    ['browser', 'webgpu'].map((name) => [
      `test:${name}`,
      { needs: everything, run: node('jest/bin/jest.js', ['--config', `test/${name}/jest.config.js`]) },
    ]),
  ),
  notebooks: { needs: everything, run: notebooks },
  equations: { needs: [], run: equations },
  train: { needs: everything, run: node('tsdiffusion/cli/train.js') },
  sample: { needs: everything, run: node('tsdiffusion/cli/sample.js') },
  likelihood: { needs: everything, run: node('tsdiffusion/cli/likelihood.js') },
  bench: { needs: everything, run: node('tsdiffusion/cli/bench.js') },
  setup: { needs: everything, run: setup },
  doctor: { needs: [], run: doctor },
  build: { needs: [...tools, 'build'], run: async () => 0 },
  // What a starting kernel does: it must not install anything.
  compile: { needs: ['build'], run: async () => 0 },
  lint: { needs: tools, run: lint },
  format: { needs: tools, run: node('prettier/bin/prettier.cjs', ['--write', '.']) },
};

module.exports = { commands };
