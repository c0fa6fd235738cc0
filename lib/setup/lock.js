// One set-up at a time in one checkout: a file that names its owner, and is renewed while the owner lives.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { checkInterrupted } = require('./children');
const { readJson } = require('./files');

const RENEW_MS = 5_000;
const STALE_MS = 120_000;

/**
 * Runs `work` while holding the lock; waits (and says so) while another process holds it.
 * @template T
 * @param {string} file
 * @param {() => Promise<T> | T} work
 * @param {(text: string) => void} [say]
 * @returns {Promise<T>}
 */
async function withLock(file, work, say = console.log) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let told = false;
  while (!take(file)) {
    if (isStale(file)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told)
      say(`Waiting for another set-up of this folder (process ${readJson(file)?.pid ?? 'unknown'}) …`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 300));
    checkInterrupted();
  }
  const renewal = setInterval(() => fs.utimes(file, new Date(), new Date(), () => {}), RENEW_MS);
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    process.off('exit', release);
    release();
  }
}

/**
 * Makes the lock file; false if it is there already.
 * @param {string} file
 */
function take(file) {
  try {
    fs.writeFileSync(file, JSON.stringify({ pid: process.pid, host: os.hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Is its owner gone? On another computer (a shared folder) only the time of the last renewal tells.
 * @param {string} file
 */
function isStale(file) {
  const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > STALE_MS) return true;
  const owner = readJson(file);
  if (!owner || owner.host !== os.hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

module.exports = { withLock };
