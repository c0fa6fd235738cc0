import { cosineSchedule, linearSchedule, type Schedule } from './schedules';

/** A schedule as plain data, for presets and checkpoints. */
export type ScheduleConfig =
  | { kind: 'linear'; T: number; betaStart: number; betaEnd: number }
  | { kind: 'cosine'; T: number; s?: number; maxBeta?: number };

/** The schedule that a config describes. */
export function createSchedule(config: ScheduleConfig): Schedule {
  switch (config.kind) {
    case 'linear':
      return linearSchedule(config);
    case 'cosine':
      return cosineSchedule(config);
    default:
      throw new Error(`Unknown schedule ${JSON.stringify(config)}: its kind must be 'linear' or 'cosine'.`);
  }
}
