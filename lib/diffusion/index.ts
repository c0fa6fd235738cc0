export { cosineSchedule, linearSchedule, scheduleFromBetas } from './schedules';
export type { Schedule } from './schedules';
export * from './prior';
export { forwardCoefficients, gatherSchedule, qSample, qStep } from './forward';
export type { ForwardCoefficients } from './forward';
export * from './posterior';
export * from './loss';
export * from './denoiser';
export * from './scheduleConfig';
