// Step 4: the TensorFlow libraries, taken out of the official Python wheels into .runtime. No Python code of
// TensorFlow is used, so one wheel (of one Python version) serves every Python.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { checkInterrupted, runQuietly, pythonEnvironment } = require('../children');
const { Failure } = require('../failure');
const { formatBytes, readJson, remove, writeJson } = require('../files');
const { extract } = require('./extract');
const { networkFailure } = require('./network');
const pinned = require('../tensorflow.json');

/**
 * @typedef {{ name: string, version: string, sha256: string, bytes: number, extracted: number }} Wheel
 * @typedef {{ libraries: string, pipPlatforms: string[], files: Record<string, number>, wheels: Wheel[] }} Variant
 */

/**
 * @param {import('../project').Project} project
 * @returns {import('./index').Step}
 */
function runtimeStep(project) {
  const description = path.join(project.runtime, 'runtime.json');
  const shared = project.runtime !== project.local;

  return {
    name: 'TensorFlow',
    needs() {
      const { wheels } = variantOf(wantedKind());
      const largest = Math.max(...wheels.map((wheel) => wheel.bytes));
      return { download: sum(wheels, 'bytes'), disk: largest + sum(wheels, 'extracted') };
    },
    isDone() {
      const found = readJson(description);
      if (!found) return false;
      const folder = path.join(project.runtime, found.libraries ?? '');
      if (
        !fs.existsSync(path.join(folder, found.cc ?? '')) ||
        !fs.existsSync(path.join(folder, found.framework ?? ''))
      ) {
        return false;
      }
      // A runtime with CUDA also works on the CPU alone; one without is replaced when a GPU turns up.
      return (
        shared ||
        (found.tensorflow === pinned.version && (found.variant === 'cuda' || wantedKind() === 'cpu'))
      );
    },
    async run(report) {
      if (shared) {
        throw new Failure(
          `TSDIFFUSION_RUNTIME is ${project.runtime}, which holds no complete runtime: correct or unset it and run again.`,
        );
      }
      return install(project, wantedKind(), report);
    },
  };
}

/**
 * @param {import('../project').Project} project
 * @param {'cpu' | 'cuda'} kind
 * @param {import('../progress').Report} report
 */
async function install(project, kind, report) {
  const variant = variantOf(kind);
  const name = variant.libraries.split('/')[0];
  const inside = path.relative(name, variant.libraries);
  const target = path.join(project.local, name);
  // Everything is made in here and renamed at the end; wheels that were finished before an interruption stay.
  const partial = path.join(project.local, `${name}.partial`);
  const finished = path.join(partial, '.finished');
  fs.mkdirSync(finished, { recursive: true });

  const total = sum(variant.wheels, 'bytes');
  let before = 0;
  for (const wheel of variant.wheels) {
    checkInterrupted();
    const mark = path.join(finished, `${wheel.name}-${wheel.version}`);
    if (!fs.existsSync(mark)) {
      const fetched = (/** @type {number} */ bytes) => {
        const sofar = before + bytes;
        report.update(
          `${wheel.name} ${wheel.version}, ${formatBytes(sofar)} of ${formatBytes(total)}`,
          sofar / total,
        );
      };
      fetched(0);
      const file = await download(project, variant, wheel, path.join(partial, 'download'), fetched);
      await extract(
        file,
        wheel.name,
        (entry) => destination(entry, partial, path.join(partial, inside)),
        report,
      );
      remove(file);
      fs.writeFileSync(mark, '');
    }
    before += wheel.bytes;
  }
  for (const [library, bytes] of Object.entries(variant.files)) {
    const size = fs.statSync(path.join(partial, inside, library), { throwIfNoEntry: false })?.size;
    if (size !== bytes) {
      remove(partial);
      throw new Failure(
        `${library} came out of the wheel damaged (${size} of ${bytes} bytes): run the command again.`,
      );
    }
  }
  remove(path.join(partial, 'download'));
  remove(finished);
  remove(target);
  fs.renameSync(partial, target);
  const library = (/** @type {string} */ part) =>
    Object.keys(variant.files).find((file) => file.includes(part));
  writeJson(path.join(project.local, 'runtime.json'), {
    tensorflow: pinned.version,
    variant: kind,
    platform: `${process.platform}-${process.arch}`,
    libraries: variant.libraries,
    framework: library('_framework'),
    cc: library('_cc'),
    headers: `${name}/include`,
  });
  for (const other of fs.readdirSync(project.local)) {
    if (other.startsWith('tensorflow-') && other !== name) remove(path.join(project.local, other));
  }
  return `${pinned.version} (${kind === 'cuda' ? 'CUDA' : 'CPU'}), ${formatBytes(sum(variant.wheels, 'extracted'))}`;
}

/**
 * Downloads one wheel with pip, which checks its hash.
 * @param {import('../project').Project} project
 * @param {Variant} variant
 * @param {Wheel} wheel
 * @param {string} folder
 * @param {(bytes: number) => void} fetched
 * @returns {Promise<string>}
 */
async function download(project, variant, wheel, folder, fetched) {
  const temporary = path.join(folder, 'tmp');
  remove(temporary);
  fs.mkdirSync(temporary, { recursive: true });
  const list = path.join(folder, 'requirements.txt');
  fs.writeFileSync(list, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--no-input',
  ];
  args.push('--disable-pip-version-check', '--progress-bar', 'raw', '--resume-retries', '10');
  args.push('--python-version', pinned.pythonVersion, '--implementation', 'cp');
  args.push(...variant.pipPlatforms.flatMap((platform) => ['--platform', platform]));
  args.push('--dest', folder, '--requirement', list);
  const log = path.join(project.local, 'logs', 'tensorflow.log');
  const onLine = (/** @type {string} */ line) => {
    const progress = /^Progress (\d+) of/.exec(line);
    if (progress) fetched(Number(progress[1]));
  };
  const env = pythonEnvironment({ TMPDIR: temporary });
  const { code, output } = await runQuietly(project.python, args, { cwd: project.root, log, env, onLine });
  if (code !== 0) {
    if (/HASHES|do not match/i.test(output)) {
      throw new Failure(
        `${wheel.name} ${wheel.version} does not have the expected hash (a damaged download or a wrong mirror): ` +
          'run `.venv/bin/python -m pip cache purge`, then the command again.',
      );
    }
    throw networkFailure('pip could not download TensorFlow', output, log);
  }
  const prefix = `${wheel.name.replaceAll('-', '_')}-${wheel.version}-`;
  const file = fs.readdirSync(folder).find((entry) => entry.startsWith(prefix) && entry.endsWith('.whl'));
  if (!file) throw new Failure(`pip reported success but left no ${prefix}*.whl (whole output: ${log}).`);
  return path.join(folder, file);
}

/**
 * Where an entry of a wheel goes, or undefined if it is not needed: the two libraries, the headers of
 * the C API, and NVIDIA's libraries, which TensorFlow looks for in `../nvidia` beside its own folder.
 * @param {string} entry
 * @param {string} top
 * @param {string} libraries
 */
function destination(entry, top, libraries) {
  if (/^tensorflow\/libtensorflow_(cc|framework)\.[^/]+$/.test(entry))
    return path.join(libraries, path.basename(entry));
  const header = /^tensorflow\/(include\/tensorflow\/c\/.+\.h)$/.exec(entry);
  if (header) return path.join(top, header[1]);
  const ofNvidia =
    entry.startsWith('nvidia/') && !entry.includes('/include/') && !/\.(py|a)$|\/$/.test(entry);
  return ofNvidia ? path.join(top, entry) : undefined;
}

/** @returns {'cpu' | 'cuda'} */
function wantedKind() {
  const choice = process.env.TSDIFFUSION_DEVICE;
  if (choice === 'cpu' || process.platform !== 'linux' || process.arch !== 'x64') return 'cpu';
  if (choice === 'gpu') return 'cuda';
  // nvidia-smi may take a second: it is asked only where a driver has left its traces.
  const wsl = '/usr/lib/wsl/lib/nvidia-smi';
  const inWsl = fs.existsSync(wsl);
  if (!inWsl && !fs.existsSync('/dev/nvidiactl')) return 'cpu';
  const { status, stdout } = spawnSync(inWsl ? wsl : 'nvidia-smi', ['-L'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return status === 0 && /GPU \d+/.test(stdout) ? 'cuda' : 'cpu';
}

/** @param {'cpu' | 'cuda'} kind @returns {Variant} */
function variantOf(kind) {
  /** @type {Record<string, Variant>} */
  const variants = pinned.variants;
  return variants[`${process.platform}-${process.arch}-${kind}`];
}

/** @param {Wheel[]} wheels @param {'bytes' | 'extracted'} field */
const sum = (wheels, field) => wheels.reduce((total, wheel) => total + wheel[field], 0);

module.exports = { runtimeStep, destination, wantedKind };
