import {
  constantShareSchedule,
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  logSnrSchedule,
  quadraticSchedule,
  sigmoidSchedule,
} from './families';
import { scheduleFromBetas, type Schedule } from './schedules';

/** A schedule as plain data, for presets and checkpoints. */
export type ScheduleConfig =
  | { kind: 'linear'; T: number; betaStart: number; betaEnd: number; rescale?: boolean }
  | { kind: 'cosine'; T: number; s?: number; maxBeta?: number }
  | { kind: 'quadratic' | 'sigmoid'; T: number; betaStart: number; betaEnd: number }
  | { kind: 'constant'; T: number; beta: number }
  | { kind: 'logSnr'; T: number; logSnrStart?: number; logSnrEnd?: number }
  | { kind: 'constantShare'; T: number }
  /** A list of one's own: one beta for each of the T steps. */
  | { kind: 'custom'; T: number; betas: number[] };

/**
 * The schedule that a config describes.
 *
 * @throws Error if its kind is unknown, or its numbers make no schedule
 */
export function createSchedule(config: ScheduleConfig): Schedule {
  switch (config.kind) {
    case 'linear':
      return linearSchedule(config);
    case 'cosine':
      return cosineSchedule(config);
    case 'quadratic':
      return quadraticSchedule(config);
    case 'sigmoid':
      return sigmoidSchedule(config);
    case 'constant':
      return constantSchedule(config);
    case 'logSnr':
      return logSnrSchedule(config);
    case 'constantShare':
      return constantShareSchedule(config);
    case 'custom':
      if (config.T !== config.betas.length) {
        throw new Error(
          `T is ${config.T} and betas has ${config.betas.length} values: give one for each step.`,
        );
      }
      return scheduleFromBetas(config.betas);
    default:
      throw new Error(
        `Unknown schedule ${JSON.stringify(config)}: its kind must be 'linear', 'cosine', 'quadratic', 'sigmoid', 'constant', 'logSnr', 'constantShare' or 'custom'.`,
      );
  }
}
