/** What a run found out, as data and as a text in Markdown. */
import type { Measurement } from './statistics';

export interface Result {
  id: string;
  label: string;
  group: 'main' | 'growth';
  measurements: Measurement[];
}

/** How near a training step comes to what the machine can do. */
export interface Bound {
  id: string;
  label: string;
  /** Floating-point operations of the contractions of one step; a multiplication and an addition are two. */
  flops: number;
  /** The convolution that the peak was measured with: input, kernel. */
  convolution: string;
  /** For each precision: the step's time, operations a second in it and in the bare convolution, and their quotient. */
  rates: { precision: string; milliseconds: number; rate: number; peak: number; share: number }[];
}

export interface Report {
  date: string;
  machine: Record<string, string | number>;
  versions: Record<string, string>;
  quick: boolean;
  /** Names and values as in `ratios` of statistics.ts. */
  ratios: Record<string, number>;
  results: Result[];
  bounds: Bound[];
  /** Who did not take part, and why. */
  absent: string[];
}

/** Milliseconds with three digits, more only where they are whole. */
export function formatMs(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

type Cell = string | number;
const row = (cells: Cell[]): string => `| ${cells.join(' | ')} |`;
const table = (head: string[], rows: Cell[][]): string =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

function cell(result: Result, contender: string): string {
  const found = result.measurements.find((one) => one.contender === contender);
  if (!found) return '';
  const { median, min, max, note } = found;
  const best = Math.min(...result.measurements.map((one) => one.median));
  const text = median === best ? `**${formatMs(median)}**` : formatMs(median);
  return `${text} (${formatMs(min)} to ${formatMs(max)})${note ? `, ${note}` : ''}`;
}

/** One line a contender, one column a workload (or the other way round); the fastest in bold. */
function timesTable(results: Result[], across: 'workloads' | 'contenders'): string {
  const labels = new Map(
    results.flatMap(({ measurements }) => measurements.map(({ contender, label }) => [contender, label])),
  );
  const ids = [...labels.keys()];
  const name = (id: string): string => labels.get(id)!;
  return across === 'workloads'
    ? table(
        ['ms', ...results.map(({ label }) => label)],
        ids.map((id) => [name(id), ...results.map((result) => cell(result, id))]),
      )
    : table(
        ['ms', ...ids.map(name)],
        results.map((result) => [result.label, ...ids.map((id) => cell(result, id))]),
      );
}

function ratiosTable(ratios: Report['ratios']): string {
  const names = Object.keys(ratios).filter((name) => !name.endsWith('_float32'));
  return table(
    ['ratio', 'any precision', 'float32 on both sides'],
    names.map((name) => [name, ratios[name].toFixed(2), ratios[`${name}_float32`]?.toFixed(2) ?? '']),
  );
}

function boundsTable(bounds: Bound[]): string {
  const giga = (value: number): string => (value / 1e9).toPrecision(3);
  return table(
    ['step', 'GFLOP', 'precision', 'ms', 'GFLOP/s', 'peak GFLOP/s', 'of the peak', 'peak measured with'],
    bounds.flatMap(({ label, flops, convolution, rates }) =>
      rates.map(({ precision, milliseconds, rate, peak, share }) => [
        label,
        giga(flops),
        precision,
        formatMs(milliseconds),
        giga(rate),
        giga(peak),
        `${(100 * share).toFixed(0)} %`,
        convolution,
      ]),
    ),
  );
}

/** The report as Markdown. */
export function markdown(report: Report): string {
  const { date, machine, versions, quick, ratios, results, bounds, absent } = report;
  const main = results.filter(({ group }) => group === 'main');
  const growth = results.filter(({ group }) => group === 'growth');
  const facts = Object.entries({ ...machine, ...versions }).map(([name, value]) => `${name} ${value}`);
  const parts = [
    '# Benchmark',
    `${date}${quick ? ', quick' : ''}. ${facts.join('; ')}.`,
    ...absent.map((line) => `Not measured: ${line}`),
    'Milliseconds: median of the rounds, each the median of its iterations, and in brackets the smallest and the largest ' +
      'round. Rounds of all contenders are interleaved. Bold: the fastest.',
  ];
  if (main.length > 0) parts.push('## Times', timesTable(main, 'workloads'));
  if (Object.keys(ratios).length > 0) {
    parts.push('## Ratios', "The peer's time over that of our fastest variant: above 1 we are ahead.");
    parts.push(ratiosTable(ratios));
  }
  if (bounds.length > 0) {
    parts.push(
      '## What bounds a step',
      'Operations of the convolutions and matrix products of a training step (a multiplication and an addition are two; ' +
        'nothing else is counted), and the peak: the bare convolution that is the largest of the step, in our engine.',
      boundsTable(bounds),
    );
  }
  if (growth.length > 0) {
    parts.push(
      '## Growth',
      'A training step of the U-Net, ours: batch 64 of 28 x 28, but for what the line says.',
      timesTable(growth, 'contenders'),
    );
  }
  return `${parts.join('\n\n')}\n`;
}
