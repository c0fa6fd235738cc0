/** Networks that predict noise, and complete recipes around them. */
export type { Model } from './model';
export { lecture2025 } from './lecture2025';
export { unet, type UnetOptions } from './unet';
export { mlp } from './mlp';
export type { MlpConfig, ModelConfig, UnetConfig } from './config';
export { createModel } from './createModel';
export {
  presets,
  presetNamed,
  type Preset,
  type PresetName,
  type SamplingRecipe,
  type TrainingRecipe,
} from './presets';
