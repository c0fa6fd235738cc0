import { join } from 'node:path';
import { buildSync } from 'esbuild';

export const ROOT = join(__dirname, '..', '..');

/** Bundles a TypeScript file with the engine's sources into one program that Node can run; returns its path. */
export function bundle(entry: string, name: string): string {
  const outfile = join(ROOT, 'node_modules', '.cache', 'tsdiffusion-test', name);
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
    // tfjs-core declares its files free of side effects; its specs, which only a bundle can load, are nothing else.
    ignoreAnnotations: true,
    external: [
      'koffi',
      'jasmine-core',
      '@tensorflow/tfjs',
      '@tensorflow/tfjs-node-gpu',
      '@tensorflow/tfjs-backend-webgpu',
    ],
  });
  return outfile;
}
