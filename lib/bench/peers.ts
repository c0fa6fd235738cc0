/** PyTorch for `--peers`: in a throw-away environment that the command makes itself, or in a Python that has it. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const TORCH = '2.15.0';

/** Nothing of it stays but what pip caches; `--clean` removes it. */
export interface PeerFolders {
  /** The checkout. */
  root: string;
  venv: string;
  /** What torch.compile has compiled before. */
  compiled: string;
  worker: string;
}

/**
 * Where everything of the peers lies: in the folder `TSDIFFUSION_BENCH_FOLDER`, else in `.runtime` of the checkout. The
 * Python files are not compiled: they stay in the checkout's `lib`.
 */
export function peerFolders(): PeerFolders {
  const worker = join('lib', 'bench', 'torch_worker.py');
  let root = __dirname;
  while (!existsSync(join(root, worker)) && dirname(root) !== root) root = dirname(root);
  const local = resolve(process.env.TSDIFFUSION_BENCH_FOLDER || join(root, '.runtime'));
  const [venv, compiled] = [join(local, 'bench-venv'), join(local, 'bench-compiled')];
  return { root, venv, compiled, worker: join(root, worker) };
}

/** A Python with PyTorch; makes one if need be. @throws when the chosen one has none, or pip fails. */
export async function peerPython(onProgress: (text: string) => void): Promise<string> {
  const chosen = process.env.TSDIFFUSION_BENCH_PYTHON;
  if (chosen) {
    const { status } = spawnSync(chosen, ['-c', 'import torch'], { stdio: 'ignore' });
    if (status === 0) return chosen;
    throw new Error(
      `TSDIFFUSION_BENCH_PYTHON is ${chosen}, which has no PyTorch: correct it, or unset it to have one installed.`,
    );
  }
  const { root, venv } = peerFolders();
  const python = join(venv, 'bin', 'python');
  const marker = join(venv, '.finished');
  if (existsSync(marker)) return python;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  onProgress('PyTorch: making a Python environment for it');
  await runOrThrow([join(root, '.venv', 'bin', 'python'), '-m', 'venv', venv]);
  const install = (torch: string): Promise<void> => {
    const flags = ['--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
    return runOrThrow([python, '-m', 'pip', 'install', ...flags, torch, 'numpy'], (line) => {
      if (/^(Collecting|Installing)/.test(line)) onProgress(`PyTorch: ${line.slice(0, 90)}`);
    });
  };
  // The build without CUDA is a fraction of the size, but not every index has it.
  await install(`torch==${TORCH}+cpu`).catch(() => install(`torch==${TORCH}`));
  writeFileSync(marker, '');
  return python;
}

/** Removes what `peerPython` and torch.compile have left, and returns the folders that there were. */
export function cleanPeers(): string[] {
  const { venv, compiled } = peerFolders();
  const folders = [venv, compiled].filter((folder) => existsSync(folder));
  for (const folder of folders) rmSync(folder, { recursive: true });
  return folders;
}

function runOrThrow([command, ...args]: string[], onLine?: (line: string) => void): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log += `${line}\n`;
      onLine?.(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve();
      const last = log.trim().split('\n').slice(-3).join('\n');
      reject(new Error(`PyTorch could not be installed: ${args.slice(0, 3).join(' ')} said:\n${last}`));
    });
  });
}
