/** Group normalisation, with the activation that follows it, and a gradient of its own. */
import { fuse } from '../compile';
import { tf } from '../engine';
import type { Parameters } from './parameters';

const EPSILON = 1e-5;

/**
 * The largest divisor of `channels` that is at most `most` (8 by default): the number of groups.
 *
 * @throws when either is not a whole number of at least 1.
 */
export function groupsFor(channels: number, most = 8): number {
  for (const [name, value] of Object.entries({ channels, most })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new Error(`${name} = ${value}: use a whole number of at least 1.`);
    }
  }
  let groups = Math.min(most, channels);
  while (channels % groups !== 0) groups--;
  return groups;
}

/** What may follow the normalisation: nothing, or `silu(y) = y sigmoid(y)`. */
type Activation = 'none' | 'silu';

interface Kind {
  channels: number;
  groups: number;
  activation: Activation;
  /** Whether the channels are shifted first. */
  shifted: boolean;
}

/**
 * Within a unit an image is `[B, H, R]` with R = W C, since XLA's loops over a last dimension of a few channels are slow.
 * Two products go from tables `[B, R]` of sums over the rows to means over the groups, `[B, G]`, and back.
 */
function betweenGroups({ channels, groups }: Kind, [, height, row]: number[]) {
  const { meansOf, spread } = matricesOf(channels, groups, height, row);
  return {
    meansOf: (sums: tf.Tensor): tf.Tensor =>
      tf.matMul(sums as tf.Tensor2D, tf.tensor2d(meansOf, [row, groups])),
    spread: (means: tf.Tensor): tf.Tensor =>
      tf.matMul(means as tf.Tensor2D, tf.tensor2d(spread, [groups, row])),
  };
}

const matrices = new Map<string, { meansOf: Float32Array; spread: Float32Array }>();

/** The numbers of both products, kept for the next call. */
function matricesOf(channels: number, groups: number, height: number, row: number) {
  const key = `${channels} ${groups} ${height} ${row}`;
  let known = matrices.get(key);
  if (!known) {
    const [meansOf, spread] = [new Float32Array(row * groups), new Float32Array(groups * row)];
    for (let r = 0; r < row; r++) {
      const group = Math.floor(((r % channels) * groups) / channels);
      meansOf[r * groups + group] = groups / (height * row);
      spread[group * row + r] = 1;
    }
    matrices.set(key, (known = { meansOf, spread }));
  }
  return known;
}

/** A table `[B, R]` as `[B, 1, R]`, to meet every row of its image. */
const across = (table: tf.Tensor): tf.Tensor => tf.expandDims(table, 1);

const moved = (x: tf.Tensor, [shift]: tf.Tensor[]): tf.Tensor => (shift ? tf.add(x, across(shift)) : x);

/** The three steps that touch whole images, each a few loops over memory when it is compiled. */
function partsOf(kind: Kind) {
  const name = `group_norm_${kind.activation}`;
  const forward = fuse(
    (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, ...shift: tf.Tensor[]) => {
      const { meansOf, spread } = betweenGroups(kind, x.shape);
      const sums = tf.sum(moved(x, shift), 1);
      const mean = meansOf(sums);
      const centred = tf.sub(moved(x, shift), across(spread(mean)));
      const inverseStd = tf.rsqrt(tf.add(meansOf(tf.sum(tf.square(centred), 1)), EPSILON));
      const y = tf.add(tf.mul(centred, across(tf.mul(spread(inverseStd), gamma))), beta);
      return [kind.activation === 'silu' ? tf.mul(y, tf.sigmoid(y)) : y, mean, inverseStd, sums];
    },
    { name, narrow: [0] },
  );
  /** The gradient dy before the activation, and its sums over the rows, also of its product with x - mean. */
  const beforeActivation = fuse(
    (dz: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, ...more: tf.Tensor[]) => {
      const [mean, inverseStd, ...shift] = more;
      const { spread } = betweenGroups(kind, x.shape);
      const centred = tf.sub(moved(x, shift), across(spread(mean)));
      let dy = dz;
      if (kind.activation === 'silu') {
        const y = tf.add(tf.mul(centred, across(tf.mul(spread(inverseStd), gamma))), beta);
        const sigma = tf.sigmoid(y);
        // d/dy y sigma(y) = sigma + y sigma (1 - sigma)
        dy = tf.mul(dz, tf.mul(sigma, tf.add(tf.mul(y, tf.sub(1, sigma)), 1)));
      }
      return [dy, tf.sum(dy, 1), tf.sum(tf.mul(dy, centred), 1)];
    },
    { name: `${name}_gradient_1` },
  );
  /** dx, and the gradients of gamma, beta and, per image, the shift, all as rows. */
  const toInputs = fuse(
    (dy: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor, ...more: tf.Tensor[]) => {
      const [sumDy, sumDyCentred, mean, inverseStd, sums, ...shift] = more;
      const { meansOf, spread } = betweenGroups(kind, x.shape);
      const [meanRow, r] = [spread(mean), spread(inverseStd)];
      const centred = tf.sub(moved(x, shift), across(meanRow));
      const sumDyXHat = tf.mul(sumDyCentred, r);
      // dx = r (gamma dy - mean_g(gamma dy) - xHat mean_g(gamma dy xHat)) with xHat = r centred: p dy + q centred + s.
      const p = tf.mul(r, gamma);
      const q = tf.neg(tf.mul(tf.square(r), spread(meansOf(tf.mul(gamma, sumDyXHat)))));
      const s = tf.neg(tf.mul(r, spread(meansOf(tf.mul(gamma, sumDy)))));
      const dx = tf.add(tf.add(tf.mul(dy, across(p)), tf.mul(centred, across(q))), across(s));
      const height = x.shape[1]!;
      const sumCentred = tf.sub(sums, tf.mul(meanRow, height));
      const dShift = tf.add(tf.add(tf.mul(p, sumDy), tf.mul(q, sumCentred)), tf.mul(s, height));
      return [dx, tf.sum(sumDyXHat, 0), tf.sum(sumDy, 0), dShift];
    },
    { name: `${name}_gradient_2`, narrow: [0] },
  );
  return { forward, beforeActivation, toInputs };
}

function unitOf(kind: Kind) {
  const { forward, beforeActivation, toInputs } = partsOf(kind);
  const { channels } = kind;
  return tf.customGrad((...args: unknown[]) => {
    const save = args[args.length - 1] as tf.GradSaveFunc;
    const [image, ...tables] = args.slice(0, -1) as tf.Tensor[];
    const [batch, height, width] = image.shape;
    const asRows = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [batch, height, width! * channels]);
    /** `[C]` or `[B, C]`, once for each column, and the sum over the columns. */
    const repeat = (table: tf.Tensor): tf.Tensor => tf.tile(table, table.rank === 1 ? [width!] : [1, width!]);
    const collect = (row: tf.Tensor): tf.Tensor =>
      tf.sum(tf.reshape(row, [...row.shape.slice(0, -1), width!, channels]), row.rank - 1);
    const rows = [asRows(image), ...tables.map(repeat)] as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
    const [value, ...statistics] = forward(...rows);
    save([...rows, ...statistics]);
    return {
      value: tf.reshape(value, image.shape),
      gradFunc: (dz: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, gamma, beta, ...rest] = saved;
        const [shift, [mean, inverseStd, sums]] = [rest.slice(0, -3), rest.slice(-3)];
        const [dy, ...sumsOfDy] = beforeActivation(asRows(dz), x, gamma, beta, mean, inverseStd, ...shift);
        const [dx, ...ofTables] = toInputs(dy, x, gamma, ...sumsOfDy, mean, inverseStd, sums, ...shift);
        const gradients = [tf.reshape(dx, image.shape), ...ofTables.map(collect)];
        return gradients.slice(0, 1 + tables.length);
      },
    };
  });
}

const units = new Map<string, ReturnType<typeof unitOf>>();

/**
 * `y = gamma (x - mean_g) / sqrt(var_g + 1e-5) + beta`, with mean and (biased) variance over the pixels and channels of
 * each of `groups` groups of an image (Wu & He 2018, arXiv 1803.08494, eq. 1-6); then, if asked for, `y sigmoid(y)`.
 *
 * Shapes: `x [B, H, W, C]`; `gamma`, `beta` `[C]`; `shift [B, C]`, if given, is added to x first. The variance is that of
 * the centred values, so a large mean does not cancel it. Forward and gradient are a per-channel affine map of `x` each,
 * whose coefficients are small: few passes over the image, where the chain rule through the definition makes some thirty.
 */
export function groupNormalise(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  groups: number,
  { activation = 'none', shift }: { activation?: Activation; shift?: tf.Tensor } = {},
): tf.Tensor {
  const channels = x.shape[3]!;
  if (!(groups >= 1) || channels % groups !== 0) {
    throw new Error(
      `groups = ${groups} does not divide ${channels} channels: use a divisor, such as ${groupsFor(channels)}.`,
    );
  }
  const kind = { channels, groups, activation, shifted: shift !== undefined };
  const key = JSON.stringify(kind);
  const unit = units.get(key) ?? unitOf(kind);
  units.set(key, unit);
  return tf.tidy(() => unit(x, gamma, beta, ...(shift ? [shift] : [])));
}

/** Group normalisation as a layer: `gamma` starts at 1, `beta` at 0. `shift [B, C]` is added to x first. */
export function groupNorm(
  parameters: Parameters,
  options: { channels: number; groups?: number; activation?: Activation },
): (x: tf.Tensor, shift?: tf.Tensor) => tf.Tensor {
  const { channels, groups = groupsFor(channels), activation } = options;
  const gamma = parameters.constant('gamma', [channels], 1);
  const beta = parameters.constant('beta', [channels], 0);
  return (x, shift) => groupNormalise(x, gamma, beta, groups, { activation, shift });
}
