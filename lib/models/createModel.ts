import type { Generator } from '../engine';
import type { ModelConfig } from './config';
import { lecture2025 } from './lecture2025';
import { mlp } from './mlp';
import type { Model } from './model';
import { unet } from './unet';

/** The network that a config describes, with first weights from `generator`; the caller owns and disposes it. */
export function createModel(config: ModelConfig, generator: Generator): Model {
  switch (config.kind) {
    case 'lecture2025':
      return lecture2025({ ...config, generator });
    case 'unet':
      return unet({ ...config, generator });
    case 'mlp':
      return mlp({ ...config, generator });
    default:
      throw new Error(
        `Unknown model ${JSON.stringify(config)}: its kind must be 'lecture2025', 'unet' or 'mlp'.`,
      );
  }
}
