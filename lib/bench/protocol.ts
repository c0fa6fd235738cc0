/**
 * How the benchmark talks to those that it measures: each is a process that loads once, then answers one line of JSON on
 * its standard input with one on its standard output, and sleeps in between.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Variant, Workload } from './workload';

/** What can be asked, and what is answered. */
export interface Commands {
  hello: { ask: { threads: number }; answer: { versions: Record<string, string> } };
  /** Makes a workload ready, runs it twice, and keeps it under `id`; `reference` is a file to compare outputs with. */
  prepare: {
    ask: { id: string; workload: Workload; variant: Variant; reference?: string };
    answer: { note: string; difference: number | null };
  };
  run: { ask: { id: string; iterations: number }; answer: { milliseconds: number[] } };
  release: { ask: { id: string }; answer: object };
  /** Writes weights, an input and the output for it into a file. */
  reference: { ask: { workload: Workload; file: string }; answer: object };
  /** Floating-point operations of one iteration, and its largest convolution. */
  flops: { ask: { workload: Workload }; answer: { flops: number; convolution: Workload } };
}

export type CommandName = keyof Commands;
export type Handlers = {
  [Name in CommandName]?: (
    ask: Commands[Name]['ask'],
  ) => Commands[Name]['answer'] | Promise<Commands[Name]['answer']>;
};

/** The lines of a child's log that an error shows. */
const LOG_LINES = 12;

/** One contender's process, seen from the benchmark. */
export class Child {
  private readonly child: ChildProcess;
  private waiting?: { resolve(answer: object): void; reject(error: Error): void };
  private log = '';
  private failure?: Error;

  constructor(
    readonly name: string,
    [command, ...args]: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.take(line));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-20_000);
    });
    this.child.stdin!.on('error', () => {});
    this.child.once('error', (error) => this.fail(`cannot be started (${error.message})`));
    this.child.once('close', (code, signal) => this.fail(`ended (${signal ?? `exit code ${code}`})`));
  }

  /** @throws when the child reports an error, or has ended; with the end of its log. */
  async ask<Name extends CommandName>(
    command: Name,
    body: Commands[Name]['ask'],
  ): Promise<Commands[Name]['answer']> {
    if (this.waiting) throw new Error(`${this.name} is still busy: ask one thing at a time.`);
    if (this.failure) throw this.failure;
    const answer = await new Promise<object>((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.stdin!.write(`${JSON.stringify({ command, ...body })}\n`);
    });
    if ('error' in answer) throw new Error(`${this.name}: ${String(answer.error)}`);
    return answer as Commands[Name]['answer'];
  }

  /** Ends the child: it stops when its input does; one that is busy is killed. */
  close(): void {
    this.failure ??= new Error(`${this.name} was closed.`);
    this.child.stdin?.end();
    if (this.waiting) this.child.kill('SIGKILL');
  }

  private take(line: string): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    try {
      waiting?.resolve(JSON.parse(line) as object);
    } catch {
      waiting?.reject(new Error(`${this.name} answered what is no JSON: ${line.slice(0, 200)}`));
    }
  }

  private fail(what: string): void {
    const log = this.log.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
    this.failure ??= new Error(`${this.name} ${what}${log ? `; it said:\n${log}` : '.'}`);
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}

/** The other side: answers each line of the standard input, until it ends. */
export async function serve(handlers: Handlers): Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  // Whatever a library prints must not fall between the answers.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  for await (const line of createInterface({ input: process.stdin })) {
    write(`${JSON.stringify(await answer(handlers, line))}\n`);
  }
}

async function answer(handlers: Handlers, line: string): Promise<object> {
  try {
    const { command, ...body } = JSON.parse(line) as { command: CommandName };
    const handler = handlers[command] as ((ask: object) => object | Promise<object>) | undefined;
    if (!handler) throw new Error(`The command ${command} is unknown here.`);
    return await handler(body);
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    return { error: (error as Error).message };
  }
}
