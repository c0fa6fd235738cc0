import * as path from 'path';

/** Where output goes: the cell of a notebook (HTML), a terminal, or a plain text stream (file, pipe, CI log). */
export type Sink = NotebookSink | TextSink;

export interface NotebookSink {
  kind: 'notebook';
  /** Adds an output to the cell that ran last. */
  html(markup: string): void;
  /** Reserves one output; each call of the returned function replaces what it shows. */
  slot(): (markup: string) => void;
}

export interface TextSink {
  kind: 'terminal' | 'plain';
  /** Number of characters of a line. */
  columns: number;
  write(text: string): void;
}

/** The part of tslab's public module that is used here. */
interface Tslab {
  display: { html(markup: string): void };
  newDisplay(): { html(markup: string): void };
}

/** Node's table of loaded modules, and how to load one more; tests pass their own. */
export interface ModuleTable {
  modules?: NodeJS.Dict<{ exports: unknown }>;
  load?: (file: string) => unknown;
}

const KERNEL_MODULE = /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/;

/**
 * The tslab that serves this process, if one does. Being installed or loaded is no sign of that (a script may import
 * it), nor is the command line (a launcher may start the kernel); that a cell was run by it is: then its kernel module
 * holds the writer of that cell's outputs. Looked up in what is loaded, so that of two copies the serving one is taken.
 */
function servingTslab({ modules = require.cache, load = require }: ModuleTable = {}): Tslab | undefined {
  for (const file of Object.keys(modules)) {
    if (!KERNEL_MODULE.test(file)) continue;
    const kernel = modules[file]?.exports as { lastWriteDisplayData?: unknown } | undefined;
    if (kernel?.lastWriteDisplayData) return load(path.join(path.dirname(file), 'public.js')) as Tslab;
  }
  return undefined;
}

/** Whether this code runs in a cell of a notebook (or in the background of one), on the tslab kernel. */
export function inNotebook(table?: ModuleTable): boolean {
  return servingTslab(table) !== undefined;
}

/** The sink that fits: the notebook's cell if there is one, else `stream`. */
export function defaultSink(stream: NodeJS.WriteStream = process.stdout, table?: ModuleTable): Sink {
  const tslab = servingTslab(table);
  if (tslab) {
    return {
      kind: 'notebook',
      html: (markup) => tslab.display.html(markup),
      slot: () => {
        const display = tslab.newDisplay();
        return (markup) => display.html(markup);
      },
    };
  }
  return {
    kind: stream.isTTY ? 'terminal' : 'plain',
    columns: stream.columns || 80,
    write: (text) => void stream.write(text), // no callback: under tslab it would never be called
  };
}
