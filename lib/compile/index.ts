// Compiled functions: a whole step recorded once, and run as one TensorFlow function.
export { isRecording } from './backend';
export { compile } from './compile';
export type { Compiled, CompileOptions } from './compile';
export { RecordingError } from './error';
export { fuse } from './fuse';
export { assertRunOptions, derived, isPure, pure, run } from './pure';
export type { LoopOptions, RunOptions } from './pure';
export type { Precision } from './precision';
export type { Result } from './record';
