// The two ways in which a command ends early, both without a stack trace.
'use strict';

/** Something is missing or wrong: the message is one sentence that says what, and what to do. */
class Failure extends Error {}

/** The user pressed Ctrl-C (or the process was asked to end). */
class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super('Interrupted: what is finished is kept, and the same command goes on from here.');
    this.signal = signal;
  }
}

/**
 * Tells the user how a command ended and returns the exit code.
 * @param {unknown} error
 * @returns {number}
 */
function explain(error) {
  if (error instanceof Interrupted) {
    console.error(`\n${error.message}`);
    return error.signal === 'SIGTERM' ? 143 : 130;
  }
  const known = error instanceof Failure;
  const message = error instanceof Error ? error.message : String(error);
  console.error(
    known ? `\n${message}` : `\nUnexpected error: ${message} (run again with DEBUG=1 for details).`,
  );
  if (process.env.DEBUG && error instanceof Error) console.error(error.stack);
  return 1;
}

module.exports = { Failure, Interrupted, explain };
