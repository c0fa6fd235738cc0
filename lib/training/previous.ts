/** The checkpoint before the last one, kept beside it for the day on which the last one is damaged. */
import { copyFileSync, linkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { temporaryBeside } from '../io';

/** `runs/small.safetensors` -> `runs/small.previous.safetensors`. */
export function previousFile(file: string): string {
  const extension = extname(file);
  return join(dirname(file), `${basename(file, extension)}.previous${extension}`);
}

/**
 * Gives the content of `file` its second name. Both names stay readable at every moment: the old content is linked
 * (copied where the file system knows no links), and the link renamed.
 */
export function keepPrevious(file: string): void {
  const content = realpathSync(file); // not a link to it, which would follow the next checkpoint
  const temporary = temporaryBeside(file);
  try {
    try {
      linkSync(content, temporary);
    } catch {
      copyFileSync(content, temporary);
    }
    renameSync(temporary, previousFile(file));
  } finally {
    rmSync(temporary, { force: true }); // two names of one file: the rename has left this one in place
  }
}
