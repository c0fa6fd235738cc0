/** The whole benchmark: starts the contenders, measures one workload after the other, and reports. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { threadCount } from '../engine/limits';
import { contenders, takesPart, type Contender } from './contenders';
import { convolutionFlops } from './counting';
import { measure, type Entrant } from './measure';
import { peerFolders, peerPython } from './peers';
import { plan, type Planned } from './plan';
import { Child } from './protocol';
import type { Bound, Report, Result } from './report';
import { ratios } from './statistics';
import { resolveStock } from './stockPackage';

export interface BenchOptions {
  quick?: boolean;
  /** Also PyTorch. */
  peers?: boolean;
  /** Only the workloads whose id begins with one of these. */
  only?: string[];
  /** Told what is going on. */
  onProgress?: (text: string) => void;
}

/** How long `--quick` goes on beginning new work; what has begun takes some seconds more. */
const QUICK_MS = 200_000;

/** Processes by name, the contenders that take part, and why others do not. */
interface Field {
  children: Map<string, Child>;
  entrants: Entrant[];
  versions: Record<string, string>;
  absent: string[];
}

/** The environment of every contender: as many threads for each. */
function environment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  const names = ['TSDIFFUSION_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS'];
  return {
    ...process.env,
    ...Object.fromEntries(names.map((name) => [name, count])),
    TORCHINDUCTOR_CACHE_DIR: peerFolders().compiled,
    // In its own process: the pool of compilers has been seen to wait for minutes without doing anything.
    TORCHINDUCTOR_COMPILE_THREADS: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

async function openField(options: BenchOptions, threads: number): Promise<Field> {
  const { quick = false, peers = false, onProgress = () => {} } = options;
  const program = (name: string): string => join(__dirname, `${name}.js`);
  const stock = resolveStock();
  const commands: Partial<Record<Contender['family'], string[]>> = {
    ours: [process.execPath, program('worker')],
  };
  const absent: string[] = [];
  if (stock) commands.stock = [process.execPath, program('stockWorker'), stock];
  else absent.push("tfjs-node's stock addon: `require('@tensorflow/tfjs-node')` finds none in this folder.");
  if (peers) commands.torch = [await peerPython(onProgress), peerFolders().worker];
  else absent.push('PyTorch: run with --peers.');

  const field: Field = { children: new Map(), entrants: [], versions: {}, absent };
  const env = environment(threads);
  for (const contender of contenders) {
    const command = commands[contender.family];
    if (!command || (quick && contender.slow)) continue;
    const name = contender.process ?? contender.label;
    const child = field.children.get(name) ?? new Child(name, command, env);
    field.children.set(name, child);
    field.entrants.push({ contender, child });
  }
  onProgress('starting the contenders');
  for (const child of field.children.values()) {
    Object.assign(field.versions, (await child.ask('hello', { threads })).versions);
  }
  return field;
}

/** The entrants that a workload is for; `fastestOf` leaves one of each family, the fastest of an earlier result. */
function chosen({ fastestOf }: Planned, entrants: Entrant[], results: Result[]): Entrant[] {
  const earlier = results.find(({ id }) => id === fastestOf)?.measurements;
  if (!earlier) return entrants;
  return entrants.filter(({ contender }) => {
    const family = earlier.filter((one) => one.family === contender.family);
    const best = Math.min(...family.map((one) => one.median));
    return family.some((one) => one.contender === contender.id && one.median === best);
  });
}

/** The file that peers compare their outputs with, made by one of ours; undefined where no peer takes part. */
async function referenceFor(
  { workload, only = () => true }: Planned,
  entrants: Entrant[],
  file: string,
): Promise<string | undefined> {
  const among = entrants.filter(({ contender }) => only(contender) && takesPart(contender, workload));
  const ours = among.find(({ contender }) => contender.family === 'ours');
  if (!ours || !among.some(({ contender }) => contender.family === 'torch')) return undefined;
  await ours.child.ask('reference', { workload, file });
  return file;
}

/** Operations of the step against those of a bare convolution in the same time. */
async function boundOf(
  { id, label, workload }: Planned,
  { measurements }: Result,
  entrants: Entrant[],
): Promise<Bound> {
  const counter = entrants.find(({ contender }) => contender.id === 'ours-float32')!;
  const { flops, convolution } = await counter.child.ask('flops', { workload });
  if (convolution.kind !== 'convolution') throw new Error('The largest convolution is none.');
  const planned: Planned = {
    id: `peak_${id}`,
    label: `peak for ${label}`,
    group: 'main',
    workload: convolution,
    seconds: 4,
    fewest: 5,
  };
  const peaks = await measure({ planned, entrants });
  const rates = peaks.flatMap(({ precision, median }) => {
    const ours = measurements.filter((one) => one.family === 'ours' && one.precision === precision);
    if (ours.length === 0) return [];
    const milliseconds = Math.min(...ours.map((one) => one.median));
    const [rate, peak] = [(flops / milliseconds) * 1000, (convolutionFlops(convolution) / median) * 1000];
    return [{ precision, milliseconds, rate, peak, share: rate / peak }];
  });
  return { id, label, flops, convolution: `${convolution.input} * ${convolution.kernel}`, rates };
}

/** @throws when a name fits no workload. */
function wanted(quick: boolean, only?: string[]): Planned[] {
  const all = plan({ quick });
  for (const start of only ?? []) {
    if (all.some(({ id }) => id.startsWith(start))) continue;
    const names = all.map(({ id }) => id).join(', ');
    throw new Error(`No workload begins with '${start}'; there are ${names}.`);
  }
  return all.filter(({ id }) => !only || only.some((start) => id.startsWith(start)));
}

/**
 * Lets torch.compile compile what it has not compiled before, which takes minutes and belongs to its installation: later it
 * finds that in its folder.
 */
async function compileAhead(
  planned: Planned[],
  entrants: Entrant[],
  onProgress: BenchOptions['onProgress'] = () => {},
): Promise<void> {
  const folder = peerFolders().compiled;
  const file = join(folder, 'compiled.json');
  const done = new Set(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []);
  for (const { contender, child } of entrants) {
    if (!contender.variant.compile) continue;
    for (const { label, workload, only = () => true } of planned) {
      if (workload.kind === 'convolution') continue;
      const { kind, model, batch } = workload;
      const id = JSON.stringify([contender.id, kind === 'train', model, batch]);
      if (done.has(id) || !takesPart(contender, workload) || !only(contender)) continue;
      onProgress(`PyTorch: ${contender.label} compiles ${label}`);
      await child.ask('prepare', { id, workload, variant: contender.variant });
      await child.ask('release', { id });
      done.add(id);
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, JSON.stringify([...done]));
    }
  }
}

/** Runs it all. @throws when a contender fails, or computes something else than we do. */
export async function runBench(options: BenchOptions = {}): Promise<Report> {
  const { quick = false, only, onProgress } = options;
  const threads = threadCount();
  const load = loadavg()[0];
  const planned = wanted(quick, only);
  const folder = mkdtempSync(join(tmpdir(), 'tsdiffusion-bench-'));
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  let field: Field | undefined;
  try {
    field = await openField(options, threads);
    const { entrants, versions, absent } = field;
    await compileAhead(planned, entrants, onProgress);
    const deadline = performance.now() + (quick ? QUICK_MS : Infinity);
    const results: Result[] = [];
    const bounds: Bound[] = [];
    const compared: Record<string, number> = {};
    for (const one of planned) {
      if (performance.now() > deadline) {
        absent.push(`${one.label}: the time was up.`);
        continue;
      }
      const taking = chosen(one, entrants, results);
      const reference = await referenceFor(one, taking, join(folder, `${one.id}.safetensors`));
      const measurements = await measure({ planned: one, entrants: taking, reference, deadline, onProgress });
      const result: Result = { id: one.id, label: one.label, group: one.group, measurements };
      results.push(result);
      Object.assign(compared, ratios(one.id, measurements));
      if (one.workload.kind === 'train' && one.group === 'main') {
        bounds.push(await boundOf(one, result, entrants));
      }
    }
    const machine = {
      processor: cpus()[0]?.model.trim() ?? process.arch,
      threads,
      'load before': load.toFixed(2),
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    };
    return { date, machine, versions, quick, ratios: compared, results, bounds, absent };
  } finally {
    field?.children.forEach((child) => child.close());
    rmSync(folder, { recursive: true, force: true });
  }
}
