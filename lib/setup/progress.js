// Progress on the terminal: one line rewritten in place, or (when the output is not a terminal) a plain
// line from time to time.
'use strict';

const PLAIN_SECONDS = 5;

/**
 * @typedef {object} Report
 * @property {(text: string, fraction?: number) => void} update   what is being done, and how far it is (0..1)
 * @property {(text: string) => void} note                        a line that stays
 */

/**
 * A reporter for one step; `finish` leaves its last line on the screen.
 * @param {string} title
 * @param {NodeJS.WriteStream} [stream]
 * @returns {Report & { finish(text: string): void, abandon(): void }}
 */
function reportStep(title, stream = process.stdout) {
  const live = Boolean(stream.isTTY);
  const started = Date.now();
  let lastWrite = 0;
  let lastTenth = 0;
  let shown = '';

  const rewrite = (/** @type {string} */ line) => {
    const width = stream.columns || 80;
    stream.write(`\r\x1b[K${line.length >= width ? `${line.slice(0, width - 2)}…` : line}`);
  };
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;

  /** @param {string} text @param {number} [fraction] */
  const update = (text, fraction) => {
    const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`;
    const line = `${title}: ${text}${percent}`;
    const now = Date.now();
    if (live) {
      if (now - lastWrite < 100) return;
      rewrite(`${line} (${seconds()})`);
    } else {
      const tenth = Math.floor((fraction ?? 0) * 10);
      const due = now - lastWrite >= PLAIN_SECONDS * 1000 || (tenth > lastTenth && now - lastWrite >= 1000);
      if (!due || line === shown) return;
      stream.write(`${line} (${seconds()})\n`);
      lastTenth = tenth;
      shown = line;
    }
    lastWrite = now;
  };

  const settle = (/** @type {string} */ line) => stream.write(live ? `\r\x1b[K${line}\n` : `${line}\n`);
  return {
    update,
    note: settle,
    finish: (text) => settle(`${title}: ${text} (${seconds()})`),
    abandon: () => void (live && stream.write('\n')),
  };
}

/** A report that says nothing. @type {Report} */
const silent = { update() {}, note() {} };

module.exports = { reportStep, silent };
