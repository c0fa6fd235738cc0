import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

export const root = path.resolve(__dirname, '..', '..');

/** A code cell: its source, or its source and its tags. */
export type Cell = string | { source: string; tags: string[] };

export interface Result {
  notebook: string;
  ok: boolean;
  seconds: number;
  peakMegabytes: number;
  failures: { cell: number; line: string; message: string }[];
}

/** A new folder for notebooks below a project (theirs must be, to find its packages). */
export function notebookFolder(name: string, project = root): string {
  const parent = path.join(project, 'test', '.tmp');
  fs.mkdirSync(parent, { recursive: true });
  return fs.mkdtempSync(path.join(parent, `${name}-`));
}

export function writeNotebook(file: string, cells: Cell[]): void {
  const notebook = {
    cells: cells.map((cell, index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      metadata: typeof cell === 'string' ? {} : { tags: cell.tags },
      source: typeof cell === 'string' ? cell : cell.source,
      outputs: [],
      execution_count: null,
    })),
    metadata: {
      kernelspec: { name: 'tsdiffusion', display_name: 'TypeScript (tsdiffusion)', language: 'typescript' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(notebook));
}

/** What a cell of an executed notebook printed. */
export function printed(file: string, cell: number): string {
  const { outputs } = JSON.parse(fs.readFileSync(file, 'utf8')).cells[cell];
  return outputs.map((output: { text?: string | string[] }) => [output.text ?? []].flat().join('')).join('');
}

/** The code cells of a lesson. */
export function codeCells(lesson: string): { id: string; source: string }[] {
  const text = fs.readFileSync(path.join(root, 'notebooks', `${lesson}.ipynb`), 'utf8');
  const { cells }: { cells: { cell_type: string; id: string; source: string | string[] }[] } =
    JSON.parse(text);
  return cells
    .filter(({ cell_type }) => cell_type === 'code')
    .map(({ id, source }) => ({ id, source: [source].flat().join('') }));
}

/** Executes notebooks as `npm run notebooks` does; `env` is added to the environment. */
export function execute(
  files: string[],
  options: string[] = [],
  { project = root, env = {} }: { project?: string; env?: Record<string, string> } = {},
) {
  const report = path.join(path.dirname(files[0]), 'report.json');
  const runner = path.join(project, 'lib', 'jupyter', 'execute.py');
  const python = path.join(project, '.venv', 'bin', 'python');
  const { status, stdout, stderr } = spawnSync(python, [runner, '--json', report, ...options, ...files], {
    cwd: project,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (!fs.existsSync(report)) throw new Error(`The runner wrote no report: ${stdout}${stderr}`);
  const results: Result[] = JSON.parse(fs.readFileSync(report, 'utf8'));
  return {
    status,
    stdout,
    results: new Map(results.map((result) => [path.basename(result.notebook, '.ipynb'), result])),
  };
}
