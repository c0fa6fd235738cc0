/** What every denoising network offers. */
import type { tf } from '../engine';
import type { Denoiser } from '../diffusion';
import type { ModelConfig } from './config';

export interface Model {
  /** Everything that is needed to build the same network again; plain JSON. */
  readonly config: ModelConfig;
  /** Trainable variables by path; owned by the model. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** The number of trainable numbers. */
  readonly parameterCount: number;
  /** The noise that the network sees in `xt [B, H, W, C]` at steps `t [B]` (int32); the caller owns the result. */
  readonly predict: Denoiser;
  dispose(): void;
}
