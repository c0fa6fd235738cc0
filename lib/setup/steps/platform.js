// Step 1: is this a system that the course runs on? (The version of Node is checked by cli.js.)
'use strict';

const { Failure } = require('../failure');

const SUPPORTED = 'Linux (x64, arm64), macOS on Apple silicon, and Windows through WSL2';

/**
 * The reason why this system cannot run the course, or undefined.
 * @param {{ platform: string, arch: string, musl: boolean }} [system]
 */
function unsupported(system = thisSystem()) {
  const { platform, arch, musl } = system;
  if (platform === 'win32') {
    return 'Windows is supported through WSL2 only: run `wsl --install`, then clone and start the course inside it.';
  }
  const known = `${platform}-${arch}`;
  if (known === 'darwin-x64') {
    return `TensorFlow no longer supports Intel Macs (nor Node running under Rosetta): supported are ${SUPPORTED}.`;
  }
  if (!['linux-x64', 'linux-arm64', 'darwin-arm64'].includes(known)) {
    return `${known} is not supported: supported are ${SUPPORTED}.`;
  }
  if (musl) {
    return 'This Linux uses musl (Alpine, for example), TensorFlow needs glibc: use Debian, Ubuntu, Fedora or similar.';
  }
  return undefined;
}

function thisSystem() {
  return { platform: process.platform, arch: process.arch, musl: isMusl() };
}

function isMusl() {
  if (process.platform !== 'linux') return false;
  // Without this the report looks up host names, which takes seconds where there is no network.
  Object.assign(process.report, { excludeNetwork: true });
  const report = /** @type {any} */ (process.report.getReport());
  return report.header.glibcVersionRuntime === undefined;
}

/** @returns {import('./index').Step} */
function platformStep() {
  return {
    name: 'System',
    needs: () => ({ download: 0, disk: 0 }),
    isDone: () => unsupported() === undefined,
    run() {
      throw new Failure(unsupported() ?? 'unreachable');
    },
  };
}

module.exports = { platformStep, unsupported };
