/** `npm run train` and `npm run sample` in a folder of their own. */
import * as fs from 'fs';
import * as path from 'path';
import { saveCheckpoint } from '../../lib/training';
import { program, runNode, temporaryFolder, tinyPreset, tinyRun, type Ended } from './tiny';

/** A folder for one test file, and the programs in it. */
export function workplace() {
  const folder = temporaryFolder();
  const at = (name: string): string => path.join(folder, name);
  return {
    folder,
    at,
    files: (): string[] => fs.readdirSync(folder).sort(),
    /** As if the user had typed the line there; `onOutput` as in `runNode`. */
    run: (
      name: 'train' | 'sample' | 'likelihood',
      line: string,
      onOutput?: Parameters<typeof runNode>[2],
    ): Promise<Ended> => runNode([program(name), ...line.split(' ').filter(Boolean)], folder, onOutput),
    /** Begins a run of the tiny preset, without its first step, as a checkpoint that the program can go on with. */
    async begin(name: string, steps: number, T?: number): Promise<void> {
      const tiny = tinyRun({ preset: tinyPreset({ T }), steps });
      await saveCheckpoint(at(name), tiny.options.state, tiny.info);
      tiny.dispose();
    },
  };
}
