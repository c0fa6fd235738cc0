/**
 * A multilayer perceptron for points of low dimension: what the U-Net is for pictures.
 *
 *     dense -> [x + dense(silu(dense(silu(x)) + time))] x depth -> dense
 */
import { pure } from '../compile';
import { tf, type Generator } from '../engine';
import { dense, Parameters, silu, timeEmbedding } from '../nn';
import type { MlpConfig } from './config';
import type { Model } from './model';

/** Everything is checked before the first parameter is made, so that a bad option leaves nothing behind. */
function checkOptions(options: Required<MlpConfig>): void {
  for (const name of ['dims', 'width', 'depth', 'timeDim'] as const) {
    const value = options[name];
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new Error(`${name} = ${value}: use a whole number of at least 1.`);
  }
  if (options.timeDim % 2 !== 0)
    throw new Error(`timeDim = ${options.timeDim}: use an even number, half sines and half cosines.`);
}

/**
 * An MLP that predicts eps from `xt [B, dims]` and `t [B]` (int32); the caller disposes it. Its last layer starts at 0:
 * it begins by predicting no noise.
 *
 * @throws when an option is out of range; `predict` throws for points of another dimension or a `t` that is not int32.
 */
export function mlp(options: MlpConfig & { generator: Generator }): Model {
  const { dims, width = 128, depth = 3, timeDim = 32, generator } = options;
  checkOptions({ dims, width, depth, timeDim });
  const parameters = Parameters.create(generator);
  const input = dense(parameters.scope('input'), { inputs: dims, outputs: width });
  const blocks = Array.from({ length: depth }, (_, i) => {
    const scope = parameters.scope(`block${i}`);
    return {
      dense1: dense(scope.scope('dense1'), { inputs: width, outputs: width }),
      time: dense(scope.scope('time'), { inputs: timeDim, outputs: width }),
      dense2: dense(scope.scope('dense2'), { inputs: width, outputs: width }),
    };
  });
  const output = dense(parameters.scope('output'), { inputs: width, outputs: dims, zeroInit: true });

  return {
    config: { kind: 'mlp', dims, width, depth, timeDim },
    parameters: parameters.all,
    parameterCount: parameters.count,
    predict: pure((xt, t) => {
      if (xt.rank !== 2 || xt.shape[1] !== dims) {
        throw new Error(`xt has shape [${xt.shape}], but this network reads points [B, ${dims}].`);
      }
      return tf.tidy(() => {
        const time = timeEmbedding(t, timeDim);
        let x = input(xt);
        for (const { dense1, time: shift, dense2 } of blocks) {
          const h = tf.add(dense1(silu(x)), shift(time));
          x = tf.add(x, dense2(silu(h)));
        }
        return output(silu(x));
      });
    }),
    dispose: () => parameters.dispose(),
  };
}
