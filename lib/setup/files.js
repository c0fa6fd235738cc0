// Small file helpers: whole-file writes that cannot be seen half done, and marker files.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const crypto = require('node:crypto');

/**
 * Writes a file under a temporary name and renames it: readers see the old content or the new one.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
function writeAtomic(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, content);
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The content of a file, or undefined if it cannot be read.
 * @param {string} file
 */
function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The parsed content of a JSON file, or undefined if it is missing or damaged.
 * @param {string} file
 * @returns {any}
 */
function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {string} file @param {unknown} value */
const writeJson = (file, value) => writeAtomic(file, `${JSON.stringify(value, null, 2)}\n`);

/**
 * A short fingerprint of the contents of some files (a missing one counts as empty).
 * @param {string[]} files
 */
function fingerprint(files) {
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(readIfThere(file) ?? '').update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** @param {string} target */
const remove = (target) => fs.rmSync(target, { recursive: true, force: true, maxRetries: 3 });

/**
 * Bytes that this user may still write on the disk that holds (or will hold) a path.
 * @param {string} target
 */
function freeBytes(target) {
  let folder = target;
  while (!fs.existsSync(folder)) folder = path.dirname(folder);
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

/** @param {number} bytes */
function formatBytes(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

module.exports = {
  writeAtomic,
  readIfThere,
  readJson,
  writeJson,
  fingerprint,
  remove,
  freeBytes,
  formatBytes,
};
