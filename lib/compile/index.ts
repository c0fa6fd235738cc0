// Compiled functions: a whole step recorded once, and run as one TensorFlow function.
export { isRecording } from './backend';
export { compile } from './compile';
export type { CompileOptions } from './compile';
export type { Compiled } from './compiled';
export { RecordingError } from './error';
export { fuse } from './fuse';
export { repeat } from './repeat';
export type { Pass, RepeatOptions } from './repeat';
export { assertRunOptions, derived, isPure, pure, run } from './pure';
export type { LoopOptions, RunOptions } from './pure';
export type { Precision } from './precision';
export type { Result } from './record';
