/** What the command-line programs share. */
import { relative, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { openAtomic } from '../io';
import { createStopToken, type StopToken } from '../stop';

/** Where the user typed the command: npm itself runs in the project's folder. */
const userFolder = process.env.INIT_CWD ?? process.cwd();

/** A path as the user typed it. */
export function userPath(path: string): string {
  return resolve(userFolder, path);
}

/** A path as the user can type it again, in quotes where a shell needs them. */
export function shownPath(path: string): string {
  const shown = relative(userFolder, path);
  return /^[\w./+-]+$/.test(shown) ? shown : `'${shown.replace(/'/g, `'\\''`)}'`;
}

/** Fails, before any work is done, if `file` could not be written in the end. */
export function checkWritable(file: string): void {
  openAtomic(file).abort();
}

/** Parser of a whole number of at least `minimum` (and at most `maximum`). */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum || value > maximum) {
      const range =
        maximum < Number.MAX_SAFE_INTEGER ? `from ${minimum} to ${maximum}` : `of at least ${minimum}`;
      throw new InvalidArgumentError(`Give a whole number ${range}.`);
    }
    return value;
  };
}

/** Parser of a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return value;
}

/** A token that Ctrl-C (or a polite kill) stops; the second time ends the process at once. */
export function stopOnSignal(): StopToken {
  const token = createStopToken();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (token.stopped) process.exit(130);
      token.stop();
    });
  }
  return token;
}

/** Prints a line on the standard output, in place of the progress bar that a terminal shows on its last line. */
export function printLine(text: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(text);
}

/** Runs a program's main function; a failure ends in one sentence and exit code 1 (with its stack when DEBUG is set). */
export async function runMain(main: () => Promise<void>): Promise<void> {
  // A reader that has gone away (`| head`, `| tee` after Ctrl-C, a closed terminal) must not end the work.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await main();
  } catch (error) {
    const { message, stack } = error as Error;
    process.stderr.write(`${process.env.DEBUG ? stack : `error: ${message}`}\n`);
    process.exitCode = 1;
  }
}
