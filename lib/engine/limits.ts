import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** CPUs that cgroup v2 grants, from `cpu.max` (`200000 100000` is 2); infinite without a limit. */
export function parseCpuMax(text: string): number {
  const [quota, period] = text.trim().split(/\s+/);
  return quota === 'max' ? Infinity : ratio(quota, period);
}

/** CPUs that cgroup v1 grants, from `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us`. */
export function parseCfsQuota(quota: string, period: string): number {
  return Number(quota) < 0 ? Infinity : ratio(quota, period);
}

function ratio(quota: string, period: string): number {
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : Infinity;
}

/** Bytes that a cgroup may use, from `memory.max` (v2) or `memory.limit_in_bytes` (v1); infinite without a limit. */
export function parseMemoryLimit(text: string): number {
  const bytes = Number(text.trim());
  return bytes > 0 ? bytes : Infinity;
}

/** The cgroup of this process for one controller, from `/proc/self/cgroup`; the controller '' is cgroup v2's. */
export function parseCgroupPath(text: string, controller: string): string | undefined {
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  return lines.find((line) => line?.[1].split(',').includes(controller))?.[2];
}

/**
 * Threads that this process can really run at once: the smallest of the CPUs that it may use and its cgroup quota
 * (rounded up), not the machine's count. `TSDIFFUSION_THREADS` overrides it.
 *
 * @throws when TSDIFFUSION_THREADS is not a whole number from 1 to 1024.
 */
export function threadCount(environment: NodeJS.ProcessEnv = process.env): number {
  const wanted = environment.TSDIFFUSION_THREADS;
  if (wanted !== undefined && wanted !== '') {
    const threads = Number(wanted);
    if (Number.isInteger(threads) && threads >= 1 && threads <= 1024) return threads;
    throw new Error(`TSDIFFUSION_THREADS is "${wanted}": give a whole number from 1 to 1024, or unset it.`);
  }
  const quota = smallest('', 'cpu', (read) => {
    const v2 = read('cpu.max');
    if (v2 !== undefined) return parseCpuMax(v2);
    const [v1, period] = [read('cpu.cfs_quota_us'), read('cpu.cfs_period_us')];
    return v1 !== undefined && period !== undefined ? parseCfsQuota(v1, period) : Infinity;
  });
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota)));
}

/** Bytes of memory that this process may use: the cgroup's limit where it has one, else what the machine has. */
export function memoryLimit(): number {
  const limit = smallest('', 'memory', (read) => {
    const text = read('memory.max') ?? read('memory.limit_in_bytes');
    return text === undefined ? Infinity : parseMemoryLimit(text);
  });
  return Math.min(totalmem(), limit);
}

/** The smallest limit of this process's cgroups and of all that hold them, in v2 and v1. */
function smallest(
  v2: string,
  v1: string,
  limitOf: (read: (name: string) => string | undefined) => number,
): number {
  const own = readText('/proc/self/cgroup') ?? '';
  const hierarchies = [
    { mount: ROOT, path: parseCgroupPath(own, v2) ?? '/' },
    { mount: join(ROOT, v1), path: parseCgroupPath(own, v1) ?? '/' },
  ];
  const limits = hierarchies.flatMap(({ mount, path }) =>
    ancestors(path).map((folder) => limitOf((name) => readText(join(mount, folder, name)))),
  );
  return Math.min(Infinity, ...limits);
}

/** `/a/b` -> `/a/b`, `/a`, `/`: inside a container only the last exists, and it is the container's own. */
function ancestors(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...ancestors(dirname(path))];
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
