/** Variational diffusion models (Kingma et al. 2021): noise by its log-SNR, in discrete or continuous time, learned. */
export { alphaOf, ancestralCoefficients, gammaOf, sigmaOf, type AncestralCoefficients } from './levels';
export { denoised, noised, type GammaDenoiser } from './tensors';
export {
  fixedGamma,
  gammaValues,
  linearGamma,
  type FixedGamma,
  type GammaEnds,
  type GammaSchedule,
  type GammaShape,
} from './schedule';
export { monotoneGamma, type MonotoneGammaOptions } from './monotone';
export { scheduleFromGammas } from './discrete';
export { antitheticTimes, stepOfTime } from './times';
export { levelLogLikelihood, levelLogProbabilities, reconstructionNats, toLevels } from './levelDecoder';
export {
  levelAndWeight,
  noiseError,
  priorTerm,
  vdmTerms,
  type VdmBatch,
  type VdmLossOptions,
  type VdmTerms,
} from './loss';
export { gaussianError, lossOfSteps, lossOverGamma, lossOverTime, type ErrorCurve } from './exact';
export { mixtureGammaDenoiser, oracleAtGamma } from './optimal';
export { byLevel, vdmMlp, type VdmMlpOptions, type VdmNetwork } from './network';
export { quantised } from './quantise';
export { createVdmState, keepAveragedWeights, withAveragedWeights, type VdmState } from './state';
export { trainVdm, type VdmTrainOptions, type VdmTrainStep } from './train';
export type { InteriorObjective } from './step';
export type { TimeDraws } from './draws';
export {
  errorByLevel,
  evaluateVdm,
  type LevelError,
  type VdmEvaluation,
  type VdmEvaluationOptions,
} from './evaluate';
export { ancestral, sampleVdm, type AncestralOptions, type AncestralState } from './sample';
