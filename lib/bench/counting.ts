/** How much arithmetic kernels do, from their shapes. */
import type { ConvolutionWorkload } from './workload';

/** A kernel that was run; the inputs are in the order of tfjs's own names for them. */
export interface Kernel {
  name: string;
  inputShapes: number[][];
  outputShapes: number[][];
}

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * Floating-point operations of a contraction, a multiplication and an addition counting as two; 0 for any other kernel.
 *
 * Convolution and both its gradients: `2 (B H W out) (h w in)`, with B, H, W, out those of the map that came out forwards.
 * Matrix product `[.., m, k] [.., k, n]`: `2 m k n` each, whichever of the factors is transposed.
 */
export function kernelFlops({ name, inputShapes: [a, b], outputShapes: [y] }: Kernel): number {
  const convolution = (map: number[], kernel: number[]): number => 2 * (size(map) / map[3]) * size(kernel);
  switch (name) {
    case 'Conv2D': // x, filter
      return convolution(y, b);
    case 'Conv2DBackpropInput': // dy, filter
      return convolution(a, b);
    case 'Conv2DBackpropFilter': // x, dy
      return convolution(b, y);
    case 'BatchMatMul': {
      // |a| |b| / |y| = batch k^2
      const batch = size(y) / (y.at(-1)! * y.at(-2)!);
      const k = Math.sqrt((size(a) * size(b)) / size(y) / batch);
      return 2 * size(y) * Math.round(k);
    }
    default:
      return 0;
  }
}

/** The forward convolution with the most operations, for a batch of that size. */
export function largestConvolution(kernels: Kernel[], batch: number): ConvolutionWorkload | undefined {
  const forward = kernels.filter(({ name }) => name === 'Conv2D');
  const most = Math.max(...forward.map(kernelFlops));
  const found = forward.find((kernel) => kernelFlops(kernel) === most);
  if (!found) return undefined;
  const [[, height, width, channels], kernel] = found.inputShapes;
  const stride = Math.round(height / found.outputShapes[0][1]);
  return { kind: 'convolution', input: [batch, height, width, channels], kernel, stride };
}

export const convolutionFlops = ({ input, kernel, stride }: ConvolutionWorkload): number =>
  (2 * input[0] * input[1] * input[2] * size(kernel)) / stride ** 2;
