/** From milliseconds to what the table says. */

/** What was measured of one contender on one workload. */
export interface Measurement {
  contender: string;
  label: string;
  family: 'ours' | 'stock' | 'torch';
  precision: 'float32' | 'bfloat16';
  /** The median of each round, in milliseconds. */
  rounds: number[];
  /** Of them: the median, the smallest and the largest. */
  median: number;
  min: number;
  max: number;
  /** What the contender chose for itself. */
  note?: string;
}

/** @throws when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('There is nothing to take the median of.');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function summarise(rounds: readonly number[]): { median: number; min: number; max: number } {
  return { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds) };
}

const fastest = (measurements: readonly Measurement[]): number =>
  Math.min(...measurements.map((one) => one.median));

/**
 * How many times as long the peers take: `<name>_vs_notes` (PyTorch as the notes write it) and `<name>_vs_best` (the
 * fastest PyTorch of this run), over our fastest variant; above 1 we are ahead. With `_float32` only variants in float32
 * are compared, on both sides. Without peers there are none.
 */
export function ratios(name: string, measurements: readonly Measurement[]): Record<string, number> {
  const result: Record<string, number> = {};
  const compare = (key: string, peers: Measurement[], ours: Measurement[]): void => {
    if (peers.length > 0 && ours.length > 0) result[key] = fastest(peers) / fastest(ours);
  };
  for (const suffix of ['', '_float32']) {
    const among = measurements.filter(({ precision }) => suffix === '' || precision === 'float32');
    const ours = among.filter(({ family }) => family === 'ours');
    const peers = among.filter(({ family }) => family === 'torch');
    const notes = peers.filter(({ contender }) => contender === 'torch-notes');
    compare(`${name}_vs_notes${suffix}`, notes, ours);
    compare(`${name}_vs_best${suffix}`, peers, ours);
  }
  return result;
}
