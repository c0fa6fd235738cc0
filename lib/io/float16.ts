/**
 * The IEEE 754 half-precision bits nearest to each value (ties to even; beyond 65,504 becomes infinity).
 * Exact for every float32, subnormal halves included.
 */
export function toFloat16(values: ArrayLike<number>): Uint16Array {
  const single = Float32Array.from(values);
  const bits = new Uint32Array(single.buffer);
  return Uint16Array.from(bits, halfFromSingleBits);
}

function halfFromSingleBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0); // infinity, NaN
  const shifted = exponent - 127 + 15; // the exponent with the half's bias
  if (shifted >= 31) return sign | 0x7c00; // too large
  if (shifted < -10) return sign; // less than half of the smallest subnormal
  // Fields side by side make one integer, so that a carry out of the fraction correctly raises the exponent.
  const field = shifted > 0 ? (shifted << 23) | fraction : fraction | 0x800000;
  const drop = shifted > 0 ? 13 : 14 - shifted;
  const kept = field >>> drop;
  const rest = field & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return sign | (kept + (rest > half || (rest === half && kept & 1) ? 1 : 0));
}

/** The values of IEEE 754 half-precision bits; exact. */
export function fromFloat16(bits: ArrayLike<number>): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
