import { defaultSink } from './environment';
import type { NotebookSink, Sink, TextSink } from './environment';
import { escapeHtml } from './html';

/** A display of how far a long loop is. It keeps no timer: it is drawn only inside `update` and `end`. */
export interface Progress {
  /** Says that `done` of the total is done; `text` is shown beside it. Cheap enough for every step of a loop. */
  update(done: number, text?: string): void;
  /** Draws the last state for good; to be called also when the loop failed (in `finally`). */
  end(text?: string): void;
}

export interface ProgressOptions {
  /** Number of steps, at least 1. */
  total: number;
  /** What is being done, for example `training`. */
  label: string;
  /** Steps that were done before (a resumed run): they do not count for the speed. 0 by default. */
  start?: number;
  /** Where to show it; by default the notebook's cell, or the error stream, which leaves standard output clean. */
  sink?: Sink;
  /** Milliseconds; for tests. */
  clock?: () => number;
}

/** What is drawn. */
interface State {
  label: string;
  done: number;
  total: number;
  /** In 0..1. */
  fraction: number;
  /** Counts, times and the text of the caller. */
  text: string;
}

/** Draws states in one place. */
interface Painter {
  /** Whether a state may be drawn now, given the one drawn last and the milliseconds since. */
  due(state: State, last: State, since: number): boolean;
  draw(state: State, final: boolean): void;
}

/** A time for reading: `8 s`, `2 min 05 s`, `3 h 20 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** One output of the cell, at most four times a second: more would freeze the page. */
function notebookPainter(sink: NotebookSink): Painter {
  const replace = sink.slot();
  return {
    due: (_, __, since) => since >= 250,
    draw: ({ label, done, total, text }) =>
      replace(
        `<div><progress value="${done}" max="${total}" aria-label="${escapeHtml(label)}"></progress> ` +
          `<span>${escapeHtml(label)}: ${escapeHtml(text)}</span></div>`,
      ),
  };
}

/** One line that is overwritten, at most ten times a second. */
function terminalPainter(sink: TextSink): Painter {
  return {
    due: (_, __, since) => since >= 100,
    draw: ({ label, fraction, text }, final) => {
      const filled = Math.round(fraction * 20);
      const line = `${label} ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${text}`;
      sink.write(`\r${line.slice(0, sink.columns - 1)}\x1b[K${final ? '\n' : ''}`);
    },
  };
}

/** A line of its own each 10 %, for logs; the one for 100 % is left to `end`. */
function plainPainter(sink: TextSink): Painter {
  const tenth = ({ fraction }: State) => Math.floor(fraction * 10 + 1e-9);
  return {
    due: (state, last) => state.fraction < 1 && tenth(state) > tenth(last),
    draw: ({ label, text }) => sink.write(`${label}: ${text}\n`),
  };
}

function painterFor(sink: Sink): Painter {
  if (sink.kind === 'notebook') return notebookPainter(sink);
  return sink.kind === 'terminal' ? terminalPainter(sink) : plainPainter(sink);
}

/**
 * Begins a progress display: a bar in a notebook or terminal, a line each 10 % in a log.
 * The first state and, by `end`, the last are always drawn, others as often as the place can bear.
 * @throws RangeError when `total` is not a whole number >= 1.
 */
export function createProgress(options: ProgressOptions): Progress {
  const {
    total,
    label,
    start = 0,
    sink = defaultSink(process.stderr),
    clock = () => performance.now(),
  } = options;
  if (!(Number.isInteger(total) && total >= 1))
    throw new RangeError(`total must be a whole number >= 1, not ${total}.`);
  const painter = painterFor(sink);
  const began = clock();
  let note = '';
  let done = start;
  let ended = false;

  function state(): State {
    const fraction = Math.min(Math.max(done / total, 0), 1);
    const elapsed = clock() - began;
    const left = done > start && done < total ? (elapsed * (total - done)) / (done - start) : undefined;
    const times = ended
      ? `${done < total ? 'stopped after' : 'in'} ${formatDuration(elapsed)}`
      : formatDuration(elapsed) + (left === undefined ? '' : `, ${formatDuration(left)} left`);
    const count = `${Math.floor(fraction * 100)} %, ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`;
    return { label, done, total, fraction, text: `${count}, ${times}${note ? `, ${note}` : ''}` };
  }
  let last = state();
  let lastTime = began;
  function draw(): void {
    last = state();
    lastTime = clock();
    painter.draw(last, ended);
  }

  draw();
  return {
    update(newDone, text = note) {
      if (ended) return;
      done = newDone;
      note = text;
      if (painter.due(state(), last, clock() - lastTime)) draw();
    },
    end(text = note) {
      if (ended) return;
      ended = true;
      note = text;
      draw();
    },
  };
}
