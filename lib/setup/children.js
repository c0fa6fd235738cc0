// Child processes: watched ones with captured output for set-up, and ones that take over the terminal.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { Interrupted } = require('./failure');

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** @type {NodeJS.Signals | undefined} */
let interruption;

/** From here on Ctrl-C ends the running child, and the step that waits for it throws `Interrupted`. */
function catchSignals() {
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      interruption ??= signal;
      for (const child of running) end(child);
    });
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function end(child) {
  child.kill('SIGINT');
  setTimeout(() => child.kill('SIGKILL'), 1500).unref();
}

/** Throws if the user has asked to stop; long loops call it between two pieces of work. */
function checkInterrupted() {
  if (interruption) throw new Interrupted(interruption);
}

/**
 * Runs a program quietly: its output goes line by line to `onLine` and into a log file.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, log: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void,
 *           every?: () => void }} options  `every` is called twice a second while the program runs
 * @returns {Promise<{ code: number, output: string }>}
 */
function runQuietly(command, args, { cwd, log, env = process.env, onLine, every }) {
  checkInterrupted();
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const file = fs.openSync(log, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const timer = every && setInterval(every, 500);
    let output = '';
    let rest = '';
    const take = (/** @type {string} */ text) => {
      fs.writeSync(file, text);
      output = (output + text).slice(-100_000);
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    /** @param {() => void} settle */
    const finish = (settle) => {
      clearInterval(timer);
      running.delete(child);
      fs.closeSync(file);
      if (interruption) reject(new Interrupted(interruption));
      else settle();
    };
    child.once('error', (error) => finish(() => reject(error)));
    child.once('close', (code) => finish(() => resolve({ code: code ?? 1, output })));
  });
}

/**
 * Hands the terminal to a program and waits for it. Signals sent to us are passed on.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, onStart?: (child: import('node:child_process').ChildProcess) => void }} options
 * @returns {Promise<number>} its exit code (128 + number for a signal)
 */
function runInForeground(command, args, { cwd, env = process.env, onStart }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    // A terminal sends Ctrl-C to the whole group, so the child has it already.
    const pass = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of signals) process.removeAllListeners(signal).on(signal, pass);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, pass);
      resolve(code ?? 128 + (signal ? os.constants.signals[signal] : 1));
    });
    onStart?.(child);
  });
}

/**
 * The environment for our own Python: the user's, without what would lead it out of the project's environment.
 * @param {NodeJS.ProcessEnv} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
function pythonEnvironment(extra = {}) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1', ...extra };
  for (const name of ['PYTHONPATH', 'PYTHONHOME', 'PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'JUPYTER_PATH']) {
    delete env[name];
  }
  return env;
}

module.exports = { catchSignals, checkInterrupted, runQuietly, runInForeground, pythonEnvironment };
