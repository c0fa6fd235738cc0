/** Nats (natural logarithms) and bits (logarithms to base 2). */

/** Nats as bits: `nats / ln 2`. */
export function natsToBits(nats: number): number {
  return nats / Math.LN2;
}

/** Bits as nats: `bits ln 2`. */
export function bitsToNats(bits: number): number {
  return bits * Math.LN2;
}

/**
 * Nats for a whole sample as bits for each of its dimensions: `nats / (dims ln 2)`.
 *
 * @param dims numbers in a sample: pixels times channels
 * @throws Error if dims is not a whole number of at least 1
 */
export function natsToBitsPerDim(nats: number, dims: number): number {
  if (!(Number.isInteger(dims) && dims >= 1)) {
    throw new Error(
      `dims is ${dims}: the count of numbers in a sample must be a whole number of at least 1.`,
    );
  }
  return natsToBits(nats) / dims;
}
