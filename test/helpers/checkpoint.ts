import { loadModel, resumeTraining } from '../../lib/training';

/** Every way to open a checkpoint refuses this one. */
export function refused(file: string, message: RegExp): void {
  for (const open of [loadModel, resumeTraining]) expect(() => open(file)).toThrow(message);
}
