/** Networks as plain data, for presets and checkpoints. */

/** Shape of a U-Net. */
export interface UnetConfig {
  /** Side of the square images, default 28; must be divisible by 2 to the number of halvings. */
  imageSize?: number;
  /** Channels of the images, default 1. */
  imageChannels?: number;
  /** Channels of each level, from full resolution down. */
  channels: number[];
  /** Residual blocks of each level on the way down. */
  blocks: number[];
  /** Levels (0 = full resolution) that end in self-attention. */
  attention?: number[];
  /** Heads of the attention, default 1. */
  heads?: number;
  /** Hand the maps of the way down to the way up, default true; false is for the lesson that shows what they do. */
  skips?: boolean;
  /** Exponents of the waves of the grey levels that the network reads beside them (`fourierFeatures`), default none. */
  fourier?: number[];
  /** Length of the sinusoidal embedding of t, even; its MLP is 4 times as wide. Default: the first level's channels, at least 32. */
  timeDim?: number;
}

/** Shape of a multilayer perceptron for points. */
export interface MlpConfig {
  /** Coordinates of a point. */
  dims: number;
  /** Size of the hidden layers, default 128. */
  width?: number;
  /** Residual blocks of two layers, default 3. */
  depth?: number;
  /** Length of the sinusoidal embedding of t, even, default 32. */
  timeDim?: number;
}

export type ModelConfig =
  | { kind: 'lecture2025'; T: number; width?: number }
  | ({ kind: 'unet' } & UnetConfig)
  | ({ kind: 'mlp' } & MlpConfig);
