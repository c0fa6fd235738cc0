// Progress on the terminal: one line rewritten in place, or (when the output is not a terminal) a plain
// line from time to time.
'use strict';

const PLAIN_SECONDS = 5;

/**
 * @typedef {object} Report
 * @property {(text: string, fraction?: number) => void} update   what is being done, and how far it is (0..1)
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
  /** @type {[string, number?]} */
  let latest = [''];

  const rewrite = (/** @type {string} */ line) => {
    const width = stream.columns || 80;
    stream.write(`\r\x1b[K${line.length >= width ? `${line.slice(0, width - 2)}…` : line}`);
  };
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;

  /** @param {string} text @param {number} [fraction] */
  const update = (text, fraction) => {
    latest = [text, fraction];
    const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`;
    const line = `${title}: ${text}${percent}`;
    const now = Date.now();
    if (live) {
      if (now - lastWrite < 100) return;
      rewrite(`${line} (${seconds()})`);
    } else {
      const tenth = Math.floor((fraction ?? 0) * 10);
      const due = now - lastWrite >= PLAIN_SECONDS * 1000 || (tenth > lastTenth && now - lastWrite >= 2000);
      if (!due) return;
      stream.write(`${line} (${seconds()})\n`);
      lastTenth = tenth;
    }
    lastWrite = now;
  };

  // Some work says nothing for a while: the seconds go on counting.
  const clock = setInterval(() => latest[0] && update(...latest), 1000);
  clock.unref();
  return {
    update,
    finish(text) {
      clearInterval(clock);
      stream.write(`${live ? '\r\x1b[K' : ''}${title}: ${text} (${seconds()})\n`);
    },
    abandon() {
      clearInterval(clock);
      if (live) stream.write('\n');
    },
  };
}

module.exports = { reportStep };
