// The steps of set-up, in order, and the loop that carries out those that are missing.
'use strict';

const path = require('node:path');
const { checkInterrupted } = require('../children');
const { Failure } = require('../failure');
const { formatBytes, freeBytes } = require('../files');
const { withLock } = require('../lock');
const { reportStep } = require('../progress');
const { buildStep } = require('./build');
const { kernelspecStep } = require('./kernelspec');
const { packagesStep } = require('./packages');
const { platformStep } = require('./platform');
const { pythonStep } = require('./python');
const { runtimeStep } = require('./runtime');

/**
 * One thing that must be there. `isDone` looks at a few files only; `run` can be repeated after an
 * interruption and returns what it did.
 * @typedef {object} Step
 * @property {string} name
 * @property {() => { download: number, disk: number }} needs   bytes
 * @property {() => boolean} isDone
 * @property {(report: import('../progress').Report) => string | Promise<string>} run
 */

const makers = {
  platform: platformStep,
  packages: packagesStep,
  python: pythonStep,
  runtime: runtimeStep,
  build: buildStep,
  kernelspec: kernelspecStep,
};
/** @typedef {keyof typeof makers} StepName */
const ALL = /** @type {StepName[]} */ (Object.keys(makers));

/**
 * Carries out the named steps that are not done yet.
 * @param {import('../project').Project} project
 * @param {StepName[]} [names]
 */
async function ensure(project, names = ALL) {
  const steps = names.map((name) => makers[name](project));
  if (steps.every((step) => step.isDone())) return;
  await withLock(lockFile(project), async () => {
    const missing = steps.filter((step) => !step.isDone());
    checkDisk(project.root, missing);
    for (const step of missing) {
      checkInterrupted();
      const report = reportStep(`[${steps.indexOf(step) + 1}/${steps.length}] ${step.name}`);
      try {
        report.finish(await step.run(report));
        // A Ctrl-C during synchronous work is heard only now.
        await new Promise(setImmediate);
      } catch (error) {
        report.abandon();
        throw error;
      }
    }
    checkInterrupted();
  });
}

/**
 * Says how much is going to be fetched, and refuses before anything is fetched if the disk is too small.
 * @param {string} root
 * @param {Step[]} steps
 */
function checkDisk(root, steps) {
  if (steps.some((step) => step.name === 'System')) return;
  const download = steps.reduce((bytes, step) => bytes + step.needs().download, 0);
  const disk = steps.reduce((bytes, step) => bytes + step.needs().disk, 0);
  const free = freeBytes(root);
  if (disk > free) {
    throw new Failure(
      `Not enough disk space: ${formatBytes(disk)} are needed in ${root}, ${formatBytes(free)} are free; ` +
        'free some and run the command again.',
    );
  }
  if (download > 0) {
    const names = steps.map((step) => step.name).join(', ');
    console.log(
      `Setting up ${names}: about ${formatBytes(download)} to fetch, ${formatBytes(disk)} on disk.`,
    );
  }
}

/** @param {import('../project').Project} project */
const lockFile = (project) => path.join(project.local, 'setup.lock');

module.exports = { ensure, checkDisk, makers, ALL };
