/** Two uint32: which stream of random numbers. */
export type Key = readonly [number, number];

/** Four uint32: which block of the stream. */
export type Counter = readonly [number, number, number, number];

/** High and low half of the product of two uint32 (JavaScript has only the low one). */
function multiply(a: number, b: number): [high: number, low: number] {
  const [a1, a0, b1, b0] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const high =
    a1 * b1 + Math.floor(middle / 0x10000) + (((((middle & 0xffff) >>> 0) + a0 * b1) / 0x10000) >>> 0);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/**
 * Philox4x32-10: four random uint32 as a pure function of a key and a counter (Salmon, Moraes, Dror and Shaw, "Parallel
 * Random Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3). The same bits as TensorFlow's ops for algorithm 1.
 */
export function philox(key: Key, counter: Counter): [number, number, number, number] {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}
