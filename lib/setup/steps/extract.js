// Takes the chosen entries out of a zip file (a wheel), with progress.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { checkInterrupted } = require('../children');
const { formatBytes } = require('../files');

/**
 * @param {string} archive
 * @param {string} label  what the report calls it
 * @param {(entry: string) => string | undefined} destination  the file that an entry becomes, if wanted
 * @param {import('../progress').Report} report
 */
async function extract(archive, label, destination, report) {
  // Loaded here because node_modules does not exist when set-up starts.
  /** @type {any} the types in @types/yauzl are older than its promises */
  const yauzl = require('yauzl');
  const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    const wanted = [];
    for await (const entry of zip.eachEntry()) {
      const file = destination(entry.fileName);
      if (file) wanted.push({ entry, file });
    }
    const total = wanted.reduce((bytes, { entry }) => bytes + entry.uncompressedSize, 0);
    let done = 0;
    for (const { entry, file } of wanted) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const count = new Transform({
        transform(chunk, _encoding, next) {
          done += chunk.length;
          report.update(`unpacking ${label}, ${formatBytes(done)} of ${formatBytes(total)}`, done / total);
          try {
            checkInterrupted();
            next(null, chunk);
          } catch (error) {
            next(/** @type {Error} */ (error));
          }
        },
      });
      // The upper half of the attributes holds the Unix mode: ptxas must stay executable, for everybody.
      const mode = (entry.externalFileAttributes >>> 16) & 0o100 ? 0o755 : 0o644;
      await pipeline(await zip.openReadStreamPromise(entry), count, fs.createWriteStream(file, { mode }));
    }
  } finally {
    zip.close();
  }
}

module.exports = { extract };
