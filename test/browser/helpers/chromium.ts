/** The browser of the tests: the Chromium of the system, driven by playwright-core, which brings none. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** TSDIFFUSION_CHROMIUM, or the first Chromium on the PATH. @throws Error that says what to install */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TSDIFFUSION_CHROMIUM) return env.TSDIFFUSION_CHROMIUM;
  const folders = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  const found = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) =>
    fs.existsSync(file),
  );
  if (found) return found;
  throw new Error(
    `No Chromium on the PATH (looked for ${NAMES.join(', ')}): install one, for example with ` +
      '`apt-get install chromium`, or set TSDIFFUSION_CHROMIUM to the program.',
  );
}

export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    // It opens pages of our own server only. Containers have no user namespaces for its sandbox, and little /dev/shm.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
  });
}
