/** From data to weights: optimiser, averaging, the loop, checkpoints. */
export { Adam, type AdamOptions } from './adam';
export { Ema } from './ema';
export { warmupCosine, type LearningRate } from './learningRate';
export { createTrainingState, type TrainingState } from './state';
export { train, type TrainOptions, type TrainStep } from './train';
export {
  averagedModel,
  exportWeights,
  loadModel,
  readCheckpointInfo,
  resumeTraining,
  saveCheckpoint,
} from './checkpoint';
export type { CheckpointInfo, RunInfo } from './checkpointFile';
export { previousFile } from './previous';
export { startRun, type Run } from './run';
export { lossByBand, stuckLoss, validationLoss, type BandLoss, type ValidationOptions } from './validation';
