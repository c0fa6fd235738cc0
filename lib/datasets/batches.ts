import type { Generator as RandomGenerator } from '../engine';

export interface BatchOptions {
  batchSize: number;
  /** The order depends on this generator and on `epoch` alone. */
  generator: Pick<RandomGenerator, 'fork'>;
  epoch: number;
  /** Leaves out the last batch when it is not full, so that every step has the same size; true by default. */
  dropLast?: boolean;
}

/** How many batches an epoch has. @throws RangeError as `batches` does. */
export function batchCount(dataset: { count: number }, o: { batchSize: number; dropLast?: boolean }): number {
  const { batchSize, dropLast = true } = o;
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= dataset.count))
    throw new RangeError(
      `batchSize must be a whole number from 1 to ${dataset.count} (the size of the dataset), not ${batchSize}.`,
    );
  return (dropLast ? Math.floor : Math.ceil)(dataset.count / batchSize);
}

/**
 * The indices of one epoch in shuffled order, batch by batch: each picture at most once, another order every epoch.
 * @throws RangeError at once when `batchSize` or `epoch` does not fit.
 */
export function batches(
  dataset: { count: number },
  o: BatchOptions,
): Generator<Uint32Array, void, undefined> {
  const { batchSize, generator, epoch } = o;
  const total = batchCount(dataset, o);
  if (!(Number.isInteger(epoch) && epoch >= 0))
    throw new RangeError(`epoch must be a whole number >= 0, not ${epoch}.`);
  const order = generator.fork('shuffle', epoch).permutation(dataset.count);
  return (function* () {
    for (let b = 0; b < total; b++) yield order.subarray(b * batchSize, (b + 1) * batchSize);
  })();
}

/**
 * Batches without end, one epoch after the other, as a training that has done `step` steps goes on with them.
 * @throws RangeError at once when `batchSize` does not fit
 */
export function batchesFrom(
  dataset: { count: number },
  o: Omit<BatchOptions, 'epoch' | 'dropLast'> & { step?: number },
): Generator<{ epoch: number; indices: Uint32Array }, never, undefined> {
  const { step = 0 } = o;
  const perEpoch = batchCount(dataset, o);
  return (function* () {
    for (let epoch = Math.floor(step / perEpoch); ; epoch++) {
      let done = epoch * perEpoch;
      for (const indices of batches(dataset, { ...o, epoch })) if (done++ >= step) yield { epoch, indices };
    }
  })();
}
