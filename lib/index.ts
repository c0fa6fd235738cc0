/** The face of the library: everything that a notebook imports from 'tsdiffusion'. */
import { warnOfBuildErrors } from './notice';

// First: a library that did not compile may fail on what follows.
warnOfBuildErrors();

export * from './engine';
export { compile, pure, RecordingError, type Compiled, type CompileOptions, type Precision } from './compile';
export * from './io';
export * from './datasets';
export * from './nn';
export * from './gaussian';
export * from './diffusion';
export * from './oracle';
export * from './elbo';
export * from './likelihood';
export * from './models';
export * from './training';
export * from './nonequilibrium';
export * from './sampling';
export * from './vdm';
export * from './viz';
export { createStopToken, interruptToken, type StopToken } from './stop';
export { budget } from './budget';
