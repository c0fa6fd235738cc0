import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const lib = resolve(__dirname, '..', '..', 'lib');

/** What a folder may import besides itself and the single files of lib (stop, budget, notice): the map of lib/README.md. */
const mayImport: Record<string, string[]> = {
  engine: [],
  compile: ['engine'],
  io: [],
  gaussian: [],
  datasets: ['engine', 'io'],
  nn: ['engine', 'compile'],
  diffusion: ['engine', 'compile', 'gaussian'],
  models: ['engine', 'compile', 'nn', 'diffusion'],
  oracle: ['engine', 'compile', 'datasets', 'gaussian', 'diffusion'],
  elbo: ['engine', 'gaussian', 'diffusion'],
  likelihood: ['engine', 'compile', 'datasets', 'gaussian', 'diffusion', 'elbo'],
  training: ['engine', 'compile', 'io', 'datasets', 'diffusion', 'models'],
  nonequilibrium: ['engine', 'compile', 'datasets', 'nn', 'diffusion', 'training'],
  sampling: ['engine', 'compile', 'gaussian', 'diffusion'],
  vdm: [
    ...['engine', 'compile', 'datasets', 'nn', 'diffusion', 'oracle', 'likelihood', 'training', 'sampling'],
  ],
  viz: ['engine', 'io', 'datasets'],
  bench: ['engine', 'compile', 'io', 'datasets', 'diffusion', 'models', 'training', 'sampling'],
  cli: [
    'engine',
    'compile',
    'io',
    'datasets',
    'diffusion',
    'models',
    'training',
    'sampling',
    'likelihood',
    'viz',
    'bench',
  ],
};

/** The modules of lib that a file imports, as paths from lib. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/(?:from|import|import\(|require\()\s*'(\.[^']*)'/g)].map(([, target]) =>
    relative(lib, resolve(dirname(file), target)),
  );
}

const files = (folder: string): string[] =>
  (readdirSync(join(lib, folder), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(lib, folder, name));

test('every folder of TypeScript has its place in the map', () => {
  const folders = readdirSync(lib, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const typed = folders.filter(({ name }) => files(name).length > 0).map(({ name }) => name);
  expect(typed.sort()).toEqual(Object.keys(mayImport).sort());
});

describe.each(Object.entries(mayImport))('%s', (folder, allowed) => {
  test('imports only what lies before it', () => {
    const foreign = files(folder)
      .flatMap(importsOf)
      .filter((target) => target.includes(sep) || mayImport[target] !== undefined)
      .map((target) => target.split(sep)[0])
      .filter((target) => target !== folder && !allowed.includes(target));
    expect(foreign).toEqual([]);
  });

  test('has no import cycle', () => {
    const graph = new Map(
      files(folder).map((file) => [
        relative(lib, file).replace(/(\/index)?\.ts$/, ''),
        importsOf(file).filter((target) => target.startsWith(folder + sep)),
      ]),
    );
    const done = new Set<string>();
    const visit = (module: string, path: string[]): void => {
      expect(path).not.toContain(module);
      if (done.has(module)) return;
      (graph.get(module) ?? []).forEach((target) => visit(target, [...path, module]));
      done.add(module);
    };
    [...graph.keys()].forEach((module) => visit(module, []));
  });
});
