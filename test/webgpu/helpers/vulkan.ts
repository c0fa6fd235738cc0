/** Vulkan for the tests: what VK_ICD_FILENAMES names, else the SwiftShader that comes with Chromium. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

/** What a process that is to find it has in its environment. @throws Error that says what to install */
export function vulkanEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (env.VK_ICD_FILENAMES || process.platform !== 'linux') return {};
  const folders = env.TSDIFFUSION_CHROMIUM ? [dirname(env.TSDIFFUSION_CHROMIUM), ...FOLDERS] : FOLDERS;
  const folder = folders.find((one) => existsSync(join(one, 'vk_swiftshader_icd.json')));
  if (!folder) {
    throw new Error(
      `No vk_swiftshader_icd.json in ${folders.join(', ')}: install Chromium, for example with ` +
        '`apt-get install chromium`, or let VK_ICD_FILENAMES name the description of a Vulkan driver.',
    );
  }
  return {
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    // Chromium brings Vulkan's loader as well.
    LD_LIBRARY_PATH: [folder, env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  };
}
