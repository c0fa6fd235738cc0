/** WebGPU in Node: the device that Dawn, Chromium's implementation, finds on this machine. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Dawn {
  create(flags: string[]): GPU;
  /** The constants and classes that a browser has as globals. */
  globals: Record<string, unknown>;
}

const LINUX =
  'Install a Vulkan driver (Debian: `apt install libvulkan1 mesa-vulkan-drivers`; NVIDIA and AMD bring their own). ' +
  'Without a GPU the SwiftShader of the package `chromium` will do, slowly: set VK_ICD_FILENAMES to its vk_swiftshader_icd.json.';

/**
 * Loads Dawn, and makes of this process what tfjs's WebGPU backend takes for a browser.
 *
 * @throws when the npm package `webgpu` is missing or has nothing for this platform.
 */
export function loadDawn(): GPU {
  const { create, globals } = load(binary());
  const gpu = create([]);
  Object.assign(globalThis, globals);
  // Node has had a `navigator`, which cannot be assigned to, since version 21.
  if (!('navigator' in globalThis))
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node.js' } });
  Object.defineProperty((globalThis as unknown as { navigator: object }).navigator, 'gpu', { value: gpu });
  return gpu;
}

function load(file: string): Dawn {
  try {
    return require(file) as Dawn;
  } catch (error) {
    throw new Error(
      `TSDIFFUSION_DEVICE=webgpu, but ${file} cannot be loaded: ${(error as Error).message}. ` +
        'On Linux it needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04).',
    );
  }
}

/** The native module itself: the package's face is an ES module, which CommonJS cannot load on every Node. */
function binary(): string {
  const architecture = process.platform === 'darwin' ? 'universal' : process.arch;
  const platform = `${process.platform}-${architecture}`;
  let folder: string;
  try {
    folder = dirname(require.resolve('webgpu/package.json'));
  } catch {
    throw new Error(
      'TSDIFFUSION_DEVICE=webgpu, but the npm package `webgpu` is missing: run `npm ci`, without --omit=optional.',
    );
  }
  const file = join(folder, 'dist', platform, 'dawn.node');
  if (existsSync(file)) return file;
  throw new Error(`TSDIFFUSION_DEVICE=webgpu, but the npm package \`webgpu\` has nothing for ${platform}.`);
}

/**
 * Opens the fastest adapter, with all the memory that it gives.
 *
 * @throws when there is none.
 */
export async function openDevice(gpu: GPU): Promise<{ device: GPUDevice; info: GPUAdapterInfo }> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    const remedy = process.platform === 'linux' ? LINUX : 'Look whether the driver of the GPU is installed.';
    throw new Error(`TSDIFFUSION_DEVICE=webgpu, but WebGPU finds no adapter. ${remedy}`);
  }
  const { limits, info } = adapter as GPUAdapter & { info: GPUAdapterInfo };
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  });
  return { device, info };
}
