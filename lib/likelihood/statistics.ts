/** Means with their errors, in bits per dimension. */

/** Nats of a whole sample as bits per dimension. */
export function bitsPerDimOf(nats: number, dims: number): number {
  return nats / (dims * Math.LN2);
}

/** A mean in bits per dimension: of an image all pixels (times channels) count. */
export interface BitsPerDim {
  bitsPerDim: number;
  /** Of the mean, from the scatter of samples and of random draws; NaN for a single one. */
  standardError: number;
}

/** Mean and standard error of numbers that come one by one. */
export class Moments {
  count = 0;
  mean = 0;
  private squares = 0;

  add(value: number): void {
    const delta = value - this.mean;
    this.mean += delta / ++this.count;
    this.squares += delta * (value - this.mean);
  }

  /** The mean of numbers in nats a sample; NaN without any. */
  bits(dims: number): BitsPerDim {
    const { count, mean, squares } = this;
    const standardError = count < 2 ? NaN : Math.sqrt(squares / (count - 1) / count);
    return {
      bitsPerDim: bitsPerDimOf(count === 0 ? NaN : mean, dims),
      standardError: bitsPerDimOf(standardError, dims),
    };
  }
}

/** Mean and standard error of a list of numbers in nats a sample. */
export function meanBits(nats: ArrayLike<number>, dims: number): BitsPerDim {
  const moments = new Moments();
  for (let i = 0; i < nats.length; i++) moments.add(nats[i]);
  return moments.bits(dims);
}
