// Step 3: a Python environment of our own with JupyterLab, in .venv. The system's Python stays as it is.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { runQuietly, pythonEnvironment } = require('../children');
const { Failure } = require('../failure');
const { fingerprint, formatBytes, readIfThere, readJson, remove, writeJson } = require('../files');
const { networkFailure } = require('./network');

const PIP = 'pip==26.3';
const SIZE = { download: 45e6, disk: 300e6 };
const requirements = path.join(__dirname, '..', 'requirements.txt');
const constraints = path.join(__dirname, '..', 'constraints.txt');

/**
 * @param {import('../project').Project} project
 * @returns {import('./index').Step}
 */
function pythonStep({ root, venv, python, local }) {
  const marker = path.join(venv, '.tsdiffusion-python');
  const wanted = () => fingerprint([requirements, constraints]);
  const log = path.join(local, 'logs', 'python.log');

  return {
    name: 'JupyterLab',
    needs: () => SIZE,
    // The interpreter is a link to the system's: it dangles when that Python was removed.
    isDone: () => readJson(marker)?.requirements === wanted() && fs.existsSync(python),
    async run(report) {
      const base = findPython();
      remove(venv);
      report.update(`making .venv with Python ${base.version}`);
      const options = { cwd: root, log, env: pythonEnvironment() };
      const made = await runQuietly(base.command, ['-m', 'venv', venv], options);
      if (made.code !== 0)
        throw new Failure(`Python ${base.version} could not make .venv (whole output: ${log}).`);

      const temporary = path.join(venv, 'tmp');
      fs.mkdirSync(temporary);
      const env = pythonEnvironment({ TMPDIR: temporary });
      const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'];
      report.update(`fetching ${PIP}`);
      const first = await runQuietly(python, [...pip, PIP], { cwd: root, log, env });
      if (first.code !== 0) throw networkFailure('pip could not be brought up to date', first.output, log);

      const { onLine, every } = followPip(report, venv);
      const args = [...pip, '--progress-bar', 'raw', '-r', requirements];
      const { code, output } = await runQuietly(python, args, { cwd: root, log, env, onLine, every });
      if (code !== 0) throw networkFailure('pip could not install JupyterLab', output, log);
      remove(temporary);
      writeJson(marker, { requirements: wanted(), python: base.version });
      return `installed for Python ${base.version}`;
    },
  };
}

/**
 * The first Python that is new enough and can make environments. TSDIFFUSION_PYTHON names one.
 * @returns {{ command: string, version: string }}
 */
function findPython() {
  const chosen = process.env.TSDIFFUSION_PYTHON;
  const names = chosen
    ? [chosen]
    : ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  const code = 'import sys; print("%d.%d.%d" % sys.version_info[:3]); import venv, ensurepip';
  let reason = chosen
    ? `TSDIFFUSION_PYTHON is ${chosen}, which is no Python 3.10 or newer: correct it`
    : `Python 3.10 or newer is missing: install it${hint('python3 python3-venv', 'python')}`;
  for (const command of names) {
    const { status, stdout } = spawnSync(command, ['-c', code], {
      encoding: 'utf8',
      env: pythonEnvironment(),
    });
    const version = stdout?.trim();
    const [major, minor] = (version ?? '').split('.').map(Number);
    if (!(major === 3 && minor >= 10)) continue;
    if (status === 0) return { command, version };
    const packages = command.startsWith('python3.') ? `${command}-venv` : 'python3-venv';
    reason = `Python ${version} lacks its venv module: install it${hint(packages, 'python')}`;
  }
  throw new Failure(`${reason}, then run the command again.`);
}

/** @param {string} apt @param {string} brew */
function hint(apt, brew) {
  if (process.platform === 'darwin') return ` (\`brew install ${brew}\`)`;
  return fs.existsSync('/usr/bin/apt') ? ` (\`sudo apt install ${apt}\`)` : ' with your package manager';
}

/**
 * Follows pip: it names each package that it fetches and says how much of it has come, then unpacks them all
 * without a word.
 * @param {import('../progress').Report} report
 * @param {string} venv
 */
function followPip(report, venv) {
  const total = countPins();
  let collected = 0;
  let before = 0;
  let current = 0;
  let unpacking = false;
  const onLine = (/** @type {string} */ line) => {
    const progress = /^Progress (\d+) of (\d+)/.exec(line);
    if (progress) {
      current = Number(progress[1]);
    } else {
      before += current;
      current = 0;
      if (line.startsWith('Collecting ')) collected += 1;
      unpacking ||= line.startsWith('Installing collected');
    }
    if (unpacking) return;
    report.update(
      `fetching ${collected} of ${total} packages, ${formatBytes(before + current)}`,
      collected / total,
    );
  };
  const every = () => {
    if (!unpacking) return;
    const unpacked = Math.min(countInstalled(venv), collected);
    report.update(`unpacking ${unpacked} of ${collected} packages`, unpacked / collected);
  };
  return { onLine, every };
}

/** @param {string} venv */
function countInstalled(venv) {
  const [python] = fs.readdirSync(path.join(venv, 'lib')).filter((name) => name.startsWith('python'));
  const packages = fs.readdirSync(path.join(venv, 'lib', python, 'site-packages'));
  return packages.filter((name) => name.endsWith('.dist-info')).length;
}

/** How many packages constraints.txt names (some of them more than once, for several Pythons). */
function countPins() {
  const names = (readIfThere(constraints) ?? '').split('\n').map((line) => line.split('==')[0]);
  return new Set(names.filter((name) => name && !name.startsWith('#'))).size;
}

module.exports = { pythonStep, findPython };
