import { createProgress, formatDuration } from '../../lib/viz';
import type { Sink } from '../../lib/viz';

/** A clock that is set by hand and a sink that keeps what it got. */
function bench(kind: Sink['kind'], total = 1000, start = 0) {
  const drawn: string[] = [];
  const slots: number[] = [];
  let now = 0;
  const sink: Sink =
    kind === 'notebook'
      ? {
          kind,
          html: () => drawn.push('not in the slot'),
          slot: () => {
            slots.push(1);
            return (markup) => drawn.push(markup);
          },
        }
      : { kind, columns: 60, write: (text) => drawn.push(text) };
  const progress = createProgress({ total, start, label: 'training', sink, clock: () => now });
  return { drawn, slots, progress, at: (time: number) => (now = time) };
}

test('in a notebook: one slot, at most four times a second, and the last state always', () => {
  const { drawn, slots, progress, at } = bench('notebook');
  for (let step = 1; step <= 999; step++) {
    at(step * 10);
    progress.update(step, `loss ${step}`);
  }
  expect(slots.length).toBe(1);
  expect(drawn.length).toBeGreaterThan(36);
  expect(drawn.length).toBeLessThanOrEqual(1 + Math.floor(9990 / 250));
  progress.end();
  expect(drawn[drawn.length - 1]).toContain('999 of 1,000, stopped after 10 s, loss 999');
  expect(drawn[drawn.length - 1]).toContain('<progress value="999" max="1000" aria-label="training">');
});

test('in a terminal: one line that is overwritten, never longer than the terminal, at most ten times a second', () => {
  const { drawn, progress, at } = bench('terminal');
  for (let step = 1; step <= 1000; step++) {
    at(step * 10);
    progress.update(step, 'a text that is longer than the rest of the line has room for');
  }
  progress.end();
  expect(drawn.length).toBeLessThanOrEqual(2 + 100);
  for (const text of drawn) expect(text).toMatch(/^\r[^\r\n]{1,59}\x1b\[K\n?$/);
  expect(drawn.filter((text) => text.endsWith('\n'))).toEqual([drawn[drawn.length - 1]]);
  expect(drawn[drawn.length - 1]).toContain('100 %, 1,000 of 1,000');
});

test('in a log: a line each 10 %, the last one once', () => {
  const { drawn, progress } = bench('plain');
  for (let step = 1; step <= 1000; step++) progress.update(step);
  progress.end();
  expect(drawn.map((line) => /: (\d+) %/.exec(line)![1])).toEqual([
    '0',
    '10',
    '20',
    '30',
    '40',
    '50',
    '60',
    '70',
    '80',
    '90',
    '100',
  ]);
  expect(drawn[10]).toBe('training: 100 %, 1,000 of 1,000, in 0 s\n');
  expect(drawn.every((line) => /^training: .*\n$/.test(line))).toBe(true);
});

test('elapsed and remaining time; steps done before do not count for the speed', () => {
  const { drawn, progress, at } = bench('notebook', 1000, 500);
  at(60_000);
  progress.update(600);
  expect(drawn[drawn.length - 1]).toContain('60 %, 600 of 1,000, 1 min 00 s, 4 min 00 s left');
});

test('a state that is not drawn at once is drawn by end, and nothing after it', () => {
  const { drawn, progress } = bench('notebook');
  progress.update(1, 'first');
  progress.update(2, '<second>');
  expect(drawn.length).toBe(1);
  progress.end();
  expect(drawn.length).toBe(2);
  expect(drawn[1]).toContain('2 of 1,000');
  expect(drawn[1]).toContain('&lt;second&gt;');
  progress.end();
  progress.update(3);
  expect(drawn.length).toBe(2);
});

test('durations for reading, and a total that makes sense', () => {
  expect([400, 59_400, 59_600, 125_000, 3_599_600, 12_000_000].map(formatDuration)).toEqual([
    '0 s', '59 s', '1 min 00 s', '2 min 05 s', '1 h 00 min', '3 h 20 min',
  ]); // prettier-ignore
  for (const total of [0, -1, 1.5, NaN])
    expect(() => createProgress({ total, label: 'x' })).toThrow(/total must be/);
});
