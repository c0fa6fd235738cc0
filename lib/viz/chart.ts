import { defaultSink } from './environment';
import { figureHtml, figureText } from './figure';
import type { FigureOptions } from './figure';
import { checkAlt, escapeHtml } from './html';
import { tableHtml, tableText } from './table';
import type { Row } from './table';

export interface Series {
  name: string;
  x: ArrayLike<number>;
  /** As many as `x`; a value that cannot be drawn (NaN, or not above 0 on a logarithmic axis) breaks the line. */
  y: ArrayLike<number>;
}

export interface ChartOptions {
  series: Series[];
  xLabel: string;
  yLabel: string;
  title?: string;
  /** Logarithmic vertical axis; false by default. */
  logY?: boolean;
}

/** Okabe and Ito's colours that stand out on white for every kind of colour vision; dashes tell them apart in grey. */
const styles = [
  { color: '#0072B2', dash: '' },
  { color: '#D55E00', dash: '7 3' },
  { color: '#007A5A', dash: '2 3' },
  { color: '#A03E7A', dash: '9 3 2 3' },
  { color: '#000000', dash: '4 4' },
];
const size = { width: 640, height: 360 };
const plot = { left: 76, right: 620, top: 40, bottom: 300 };

/** Round numbers (1, 2 or 5 times a power of ten apart) within `[min, max]`, about `count` of them. */
export function linearTicks(min: number, max: number, count = 6): number[] {
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!;
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Powers of ten within `[min, max]`, with their double and fivefold when the range is short. */
export function logTicks(min: number, max: number): number[] {
  const factors = max / min < 1000 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max) + 1e-9; power++)
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  return ticks.filter((tick) => tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9));
}

/** Smallest and largest of the values that can be drawn, moved apart when equal. */
function rangeOf(values: number[], log: boolean): [number, number] {
  const min = values.reduce((a, b) => Math.min(a, b), Infinity);
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (min < max) return [min, max];
  return log ? [min / 2, max * 2] : [min - 1, max + 1];
}

function checkSeries({ series, logY = false }: ChartOptions): void {
  if (series.length < 1 || series.length > styles.length)
    throw new Error(`A chart shows 1 to ${styles.length} series, not ${series.length}. Make several charts.`);
  for (const { name, x, y } of series) {
    if (x.length !== y.length)
      throw new Error(`The series "${name}" has ${x.length} x values, but ${y.length} y values.`);
    if (!Array.from(y).some((value, i) => drawable(x[i]!, value, logY)))
      throw new Error(
        `The series "${name}" has no value that can be drawn${logY ? ' on a logarithmic axis' : ''}.`,
      );
  }
}

function drawable(x: number, y: number, log: boolean): boolean {
  return Number.isFinite(x) && Number.isFinite(y) && (!log || y > 0);
}

/**
 * A line chart as SVG text on a white ground: the browser draws the letters.
 * @throws Error when there is no series, or one has nothing that can be drawn.
 */
export function lineChart(options: ChartOptions): string {
  checkSeries(options);
  const { series, xLabel, yLabel, title = '', logY = false } = options;
  const points = series.flatMap(({ x, y }) => Array.from(x, (value, i) => [value, y[i]!] as const));
  const drawn = points.filter(([x, y]) => drawable(x, y, logY));
  const [xMin, xMax] = rangeOf(
    drawn.map(([x]) => x),
    false,
  );
  const [yMin, yMax] = rangeOf(
    drawn.map(([, y]) => y),
    logY,
  );
  const scale = logY ? Math.log : (value: number) => value;
  const toX = (x: number) => plot.left + ((x - xMin) / (xMax - xMin)) * (plot.right - plot.left);
  const toY = (y: number) =>
    plot.bottom - ((scale(y) - scale(yMin)) / (scale(yMax) - scale(yMin))) * (plot.bottom - plot.top);

  const text = (x: number, y: number, content: string, attributes = '') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeHtml(content)}</text>`;
  const line = (x1: number, y1: number, x2: number, y2: number, attributes: string) =>
    `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${attributes}/>`;

  const parts = [`<rect width="${size.width}" height="${size.height}" fill="#fff"/>`];
  for (const tick of linearTicks(xMin, xMax)) {
    parts.push(line(toX(tick), plot.top, toX(tick), plot.bottom, 'stroke="#ddd"'));
    parts.push(text(toX(tick), plot.bottom + 18, tickText(tick), 'text-anchor="middle"'));
  }
  for (const tick of logY ? logTicks(yMin, yMax) : linearTicks(yMin, yMax)) {
    parts.push(line(plot.left, toY(tick), plot.right, toY(tick), 'stroke="#ddd"'));
    parts.push(text(plot.left - 8, toY(tick) + 4, tickText(tick), 'text-anchor="end"'));
  }
  const middle = (plot.left + plot.right) / 2;
  parts.push(text(middle, 22, title, 'text-anchor="middle" font-weight="bold"'));
  parts.push(text(middle, plot.bottom + 36, xLabel, 'text-anchor="middle"'));
  const half = (plot.top + plot.bottom) / 2;
  parts.push(text(16, half, yLabel, `text-anchor="middle" transform="rotate(-90 16 ${half})"`));

  series.forEach(({ name, x, y }, index) => {
    const { color, dash } = styles[index]!;
    const stroke = `stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"`;
    let path = '';
    let pen = 'M';
    for (let i = 0; i < x.length; i++) {
      const visible = drawable(x[i]!, y[i]!, logY);
      if (visible) path += `${pen}${toX(x[i]!).toFixed(1)} ${toY(y[i]!).toFixed(1)}`;
      pen = visible ? 'L' : 'M';
    }
    parts.push(`<path d="${path}" fill="none" stroke-linejoin="round" stroke-linecap="round" ${stroke}/>`);
    const left = plot.left + index * 108;
    parts.push(line(left, 348, left + 24, 348, stroke), text(left + 30, 352, name));
  });
  const viewBox = `viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${viewBox} font-family="sans-serif" font-size="13" fill="#222">${parts.join('')}</svg>`;
}

function tickText(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6))
    return value.toExponential().replace('e+', 'e');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

/** Some values of each series, first and last among them: the chart for those who do not see it. */
function sampleRows({ series, xLabel, yLabel }: ChartOptions, count = 8): Row[] {
  return series.flatMap(({ name, x, y }) => {
    const rows = Math.min(count, x.length);
    const indices = Array.from({ length: rows }, (_, i) =>
      Math.round((i * (x.length - 1)) / Math.max(1, rows - 1)),
    );
    return indices.map((i) => ({ series: name, [xLabel]: x[i]!, [yLabel]: y[i]! }));
  });
}

/**
 * Shows a line chart: a picture with some of its values as a table in a notebook, the table alone elsewhere.
 * @throws Error when `alt` is missing or empty, or the series cannot be drawn.
 */
export function showChart(options: ChartOptions & FigureOptions): void {
  const { alt, caption, sink = defaultSink() } = options;
  const text = checkAlt(alt);
  const svg = lineChart(options);
  const table = { rows: sampleRows(options), caption: `Some values of: ${options.title ?? options.yLabel}` };
  if (sink.kind === 'notebook') {
    // As the source of an image, SVG can run no script, and JupyterLab shows it also when the notebook is not trusted.
    const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
    const image = `<img alt="${escapeHtml(text)}" width="${size.width}" height="${size.height}" src="${source}">`;
    const details = `<details><summary>Values</summary>${tableHtml(table.rows, table)}</details>`;
    sink.html(figureHtml(image + details, caption));
  } else {
    sink.write(figureText({ alt: text, caption }) + tableText(table.rows, table));
  }
}
