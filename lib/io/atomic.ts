import { randomBytes } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';

/** A file being written beside its destination; it takes the destination's name only when it is complete. */
export interface AtomicFile {
  /** Appends bytes or text. */
  write(data: Uint8Array | string): void;
  /** Flushes to the disk and renames onto the destination: from here on readers see the new content. */
  commit(): void;
  /** Throws away what was written; the destination keeps its old content. Does nothing after `commit`. */
  abort(): void;
}

/** The folder must be there beforehand: to make it up from a mistyped path would hide the mistake. */
function checkDestination(file: string): string {
  const folder = path.dirname(path.resolve(file));
  const found = fs.statSync(folder, { throwIfNoEntry: false });
  if (!found)
    throw new Error(
      `Cannot write ${file}: the folder ${folder} does not exist. Create it first, or correct the path.`,
    );
  if (!found.isDirectory())
    throw new Error(`Cannot write ${file}: ${folder} is a file, not a folder. Correct the path.`);
  const old = fs.statSync(file, { throwIfNoEntry: false });
  if (old?.isDirectory())
    throw new Error(`Cannot write ${file}: that is a folder. Give the name of a file in it.`);
  return old ? fs.realpathSync(file) : path.resolve(file); // write through a link, do not replace it
}

function explain(file: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedies: Record<string, string> = {
    ENOSPC: 'The disk is full: free some space, or write elsewhere.',
    EDQUOT: 'Your disk quota is used up: free some space, or write elsewhere.',
    EACCES: 'You may not write in that folder: change its permissions, or write elsewhere.',
    EPERM: 'You may not write in that folder: change its permissions, or write elsewhere.',
    EROFS: 'That file system is read-only: write elsewhere.',
  };
  const remedy = remedies[code ?? ''] ?? 'The old content, if any, is unchanged.';
  return new Error(`Cannot write ${file}: ${message}. ${remedy}`, { cause: error });
}

/** Makes the rename itself durable; some systems cannot open a folder, and there it is left to them. */
function syncFolder(folder: string): void {
  try {
    const handle = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  } catch {
    // not supported here
  }
}

/** A name for what is not complete yet, in the folder of `file`: a rename is atomic only within one file system. */
export function temporaryBeside(file: string): string {
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  return path.join(path.dirname(file), `.${path.basename(file)}.${unique}.tmp`);
}

/** Whether a process of this machine has that number. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // sends nothing
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * Removes what killed processes have left of `file`: temporary files whose process is gone, an hour old at least (the
 * folder may be shared with other machines, whose processes we cannot see).
 */
function removeLeftovers(file: string): void {
  const [folder, prefix] = [path.dirname(file), `.${path.basename(file)}.`];
  for (const name of fs.readdirSync(folder)) {
    const [, pid] = name.startsWith(prefix)
      ? (/^(\d+)-[0-9a-f]{8}\.tmp$/.exec(name.slice(prefix.length)) ?? [])
      : [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const leftover = path.join(folder, name);
    const changed = fs.statSync(leftover, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (changed < Date.now() - 3_600_000) fs.rmSync(leftover, { force: true });
  }
}

/**
 * Opens a file for writing such that a reader, or a kill at any moment, finds the old or the new content whole.
 * @throws Error when the folder is missing, or when any later write fails (nothing is left behind then).
 */
export function openAtomic(file: string): AtomicFile {
  const destination = checkDestination(file);
  const folder = path.dirname(destination);
  const temporary = temporaryBeside(destination);
  let handle: number | undefined;

  function abort(): void {
    if (handle === undefined) return;
    const open = handle;
    handle = undefined;
    try {
      fs.closeSync(open);
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }
  function guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      abort();
      throw explain(file, error);
    }
  }
  function opened(): number {
    if (handle === undefined) throw new Error(`Cannot write ${file}: it was closed already.`);
    return handle;
  }

  try {
    removeLeftovers(destination);
  } catch {
    // a folder that cannot be read, or a file of somebody else: not worth an error
  }
  const mode = fs.statSync(destination, { throwIfNoEntry: false })?.mode;
  handle = guarded(() => fs.openSync(temporary, 'wx', mode ?? 0o666));
  return {
    write: (data) => {
      const target = opened();
      guarded(() => fs.writeFileSync(target, data));
    },
    commit: () => {
      const target = opened();
      guarded(() => {
        fs.fsyncSync(target);
        fs.renameSync(temporary, destination);
      });
      handle = undefined;
      fs.closeSync(target);
      syncFolder(folder);
    },
    abort,
  };
}

/**
 * Writes a whole file atomically: a reader, or a kill at any moment, finds the old or the new content, never a part.
 * @throws Error when the folder does not exist or the system refuses; the old content stays, no temporary file does.
 */
export function writeFileAtomic(file: string, data: Uint8Array | string): void {
  const output = openAtomic(file);
  output.write(data);
  output.commit();
}
