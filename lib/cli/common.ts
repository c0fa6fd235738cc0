/** What the command-line programs share. */
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { createStopToken, type StopToken } from '../stop';

/** A path as the user typed it: relative to the folder where npm was called, not to the project. */
export function userPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** Parser of a whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`give a whole number of at least ${minimum}.`);
    }
    return value;
  };
}

/** Parser of a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError('give a number above 0.');
  }
  return value;
}

/** A token that Ctrl-C (or a polite kill) stops; the second time ends the process at once. */
export function stopOnSignal(): StopToken {
  const token = createStopToken();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (token.stopped) process.exit(130);
      token.stop();
    });
  }
  return token;
}

/** Runs a program's main function; a failure ends in one sentence and exit code 1 (with its stack when DEBUG is set). */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const { message, stack } = error as Error;
    process.stderr.write(`${process.env.DEBUG ? stack : `error: ${message}`}\n`);
    process.exitCode = 1;
  }
}
