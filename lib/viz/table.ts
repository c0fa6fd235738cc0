import { defaultSink } from './environment';
import type { Sink } from './environment';
import { escapeHtml } from './html';

/** A row: value by the name of its column. */
export type Row = Record<string, string | number | boolean | null | undefined>;

export interface TableOptions {
  /** What the table shows; read out and shown above it. */
  caption: string;
  /** Columns and their order; by default all, in the order in which the rows name them. */
  columns?: string[];
  /** Where to show it; by default the notebook's cell, or standard output. */
  sink?: Sink;
}

/** A number for reading: whole ones with thousands separated, others with four significant digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US');
  if (size >= 1e6 || size < 1e-3) return value.toExponential(3);
  return size >= 1e4 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(4);
}

function cellText(value: Row[string]): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'number' ? formatNumber(value) : String(value);
}

function columnNames(rows: Row[], columns?: string[]): string[] {
  if (rows.length === 0) throw new Error('A table needs at least one row, but the list is empty.');
  return columns ?? [...new Set(rows.flatMap(Object.keys))];
}

/** Up to eight indices of a list, first and last among them: which rows stand for the whole. */
export function sampleIndices(count: number): number[] {
  const shown = Math.min(count, 8);
  return Array.from({ length: shown }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, shown - 1)));
}

/** The rows as an HTML table. @throws Error when there is no row. */
export function tableHtml(
  rows: Row[],
  { caption, columns }: Pick<TableOptions, 'caption' | 'columns'>,
): string {
  const names = columnNames(rows, columns);
  const head = names.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const cell = (value: Row[string]) =>
    `<td${typeof value === 'number' ? ' align="right"' : ''}>${escapeHtml(cellText(value))}</td>`;
  const body = rows.map((row) => `<tr>${names.map((name) => cell(row[name])).join('')}</tr>`).join('');
  return `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

/** The rows as aligned text: numbers to the right, words to the left. @throws Error when there is no row. */
export function tableText(
  rows: Row[],
  { caption, columns }: Pick<TableOptions, 'caption' | 'columns'>,
): string {
  const names = columnNames(rows, columns);
  const texts = rows.map((row) => names.map((name) => cellText(row[name])));
  const widths = names.map((name, i) => Math.max(name.length, ...texts.map((cells) => cells[i]!.length)));
  const numeric = names.map((name) =>
    rows.every((row) => typeof row[name] === 'number' || row[name] == null),
  );
  const align = (text: string, i: number) =>
    numeric[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
  const lines = [names, widths.map((width) => '-'.repeat(width)), ...texts].map((cells) =>
    cells.map(align).join('  ').trimEnd(),
  );
  return `${caption}\n${lines.join('\n')}\n`;
}

/**
 * Shows rows as a table: HTML in a notebook, aligned text elsewhere.
 * @throws Error when there is no row.
 */
export function showTable(rows: Row[], { caption, columns, sink = defaultSink() }: TableOptions): void {
  if (sink.kind === 'notebook') sink.html(tableHtml(rows, { caption, columns }));
  else sink.write(tableText(rows, { caption, columns }));
}
