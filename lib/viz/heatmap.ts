import { encodePng } from '../io';
import type { Raster } from '../io';
import { defaultSink } from './environment';
import { figureHtml, figureText } from './figure';
import type { FigureOptions } from './figure';
import { checkAlt } from './html';
import { colorAt, noValue, plotlyScale } from './look';
import type { ColorScale } from './look';
import { axisTitle, plotlyScript, plotlyTitle } from './plotly';
import type { PlotlyFigure } from './plotly';
import { createAxis, rangeOf, significant, tickText } from './scale';
import type { Axis, Range } from './scale';
import { axesSvg, svgDocument, svgImage, svgText, toY } from './svg';
import type { Box } from './svg';
import { formatNumber, sampleIndices, tableHtml, tableText } from './table';
import type { Row } from './table';
import { previewRaster } from './terminal';

export interface HeatmapOptions {
  /** Rows of equal length; the first is drawn at the bottom. NaN is drawn grey. At most 10,000 in all. */
  values: ArrayLike<number>[];
  xLabel: string;
  yLabel: string;
  /** What the colours say. */
  valueLabel?: string;
  title?: string;
  /** Place of the middle of the first and of the last column; their numbers by default. */
  xRange?: Range;
  /** Place of the middle of the first and of the last row; their numbers by default. */
  yRange?: Range;
  /** The values at the ends of the colours; by default the smallest and largest, diverging: equally far from 0. */
  valueRange?: Range;
  /** 'sequential' (dark to light, the default) or 'diverging' (blue, near white at the middle, red). */
  colors?: ColorScale;
  /** One unit is as long to the right as upwards; false by default. */
  equalAxes?: boolean;
}

interface DrawnHeatmap {
  rows: number[][];
  colors: ColorScale;
  valueRange: Range;
  xRange: Range;
  yRange: Range;
}

function checkRange(name: string, [first, last]: Range): Range {
  if (!(Number.isFinite(first) && Number.isFinite(last) && first < last))
    throw new RangeError(`${name} must be two numbers, the smaller first, not [${first}, ${last}].`);
  return [first, last];
}

function drawnHeatmap(options: HeatmapOptions): DrawnHeatmap {
  const { values, colors = 'sequential' } = options;
  const rows = Array.from(values, (row) => Array.from(row, (value) => significant(value, 4)));
  const columns = rows[0]?.length ?? 0;
  if (columns === 0 || rows.some((row) => row.length !== columns))
    throw new Error(
      `A heatmap needs rows of one length, at least 1, but they have ${rows.map((row) => row.length).join(', ') || 'none'}.`,
    );
  if (rows.length * columns > 10_000)
    throw new Error(
      `A heatmap shows at most 10,000 values, not ${rows.length} x ${columns}: take each second row and column, or means.`,
    );
  const finite = rows.flat().filter(Number.isFinite);
  if (finite.length === 0) throw new Error('A heatmap needs at least one finite value.');
  const [min, max] = rangeOf(finite, false);
  const far = Math.max(Math.abs(min), Math.abs(max));
  const span = (count: number): Range => [0, count - 1];
  const place = (name: string, range: Range | undefined, count: number): Range =>
    count === 1 ? [range?.[0] ?? 0, range?.[0] ?? 0] : checkRange(name, range ?? span(count));
  return {
    rows,
    colors,
    valueRange: checkRange(
      'valueRange',
      options.valueRange ?? (colors === 'diverging' ? [-far, far] : [min, max]),
    ),
    xRange: place('xRange', options.xRange, columns),
    yRange: place('yRange', options.yRange, rows.length),
  };
}

/** Distance of neighbours when `count` of them span a range. */
const stepOf = ([first, last]: Range, count: number) => (count > 1 ? (last - first) / (count - 1) : 1);

/** An axis that holds whole cells. */
function cellAxis(range: Range, count: number): Axis {
  const half = stepOf(range, count) / 2;
  return createAxis([range[0] - half, range[1] + half], false);
}

/** The colours of the values, a pixel each; the last row is the top one. */
function toRaster({ rows, colors, valueRange: [min, max] }: DrawnHeatmap): Raster {
  const color = (value: number) =>
    Number.isNaN(value) ? noValue : colorAt(colors, (value - min) / (max - min));
  const data = Uint8Array.from([...rows].reverse().flatMap((row) => row.flatMap(color)));
  return { width: rows[0]!.length, height: rows.length, channels: 3, data };
}

/**
 * The values as a picture in colours, a pixel each, the first row at the bottom: a frame of an animation, for example.
 * @throws Error when the rows are not of one length, or there is nothing to draw.
 */
export function heatmapRaster(options: Pick<HeatmapOptions, 'values' | 'valueRange' | 'colors'>): Raster {
  return toRaster(drawnHeatmap({ xLabel: '', yLabel: '', ...options }));
}

function pngSource(raster: Raster): string {
  return `data:image/png;base64,${encodePng(raster).toString('base64')}`;
}

/** Stretches a raster over a box, each of its pixels with sharp edges. */
function rasterSvg(raster: Raster, { left, top, width, height }: Box): string {
  return (
    `<image x="${left}" y="${top}" width="${width}" height="${height}" preserveAspectRatio="none" ` +
    `style="image-rendering:pixelated" href="${pngSource(raster)}"/>`
  );
}

/** The scale of the colours, to the right of the picture. */
function colorBar({ colors, valueRange }: DrawnHeatmap, box: Box, label: string): string {
  const shades = Uint8Array.from(Array.from({ length: 64 }, (_, i) => colorAt(colors, 1 - i / 63)).flat());
  const axis = createAxis(valueRange, false);
  const right = box.left + box.width;
  const ticks = axis.ticks.map((tick) => svgText(right + 6, toY(box, axis)(tick) + 4, tickText(tick)));
  const middle = box.top + box.height / 2;
  const turned = `text-anchor="middle" transform="rotate(-90 ${right + 74} ${middle})"`;
  return (
    rasterSvg({ width: 1, height: 64, channels: 3, data: shades }, box) +
    ticks.join('') +
    svgText(right + 74, middle, label, turned)
  );
}

/** Sides of the area between the axes, in pixels. */
function areaOf({ xRange, yRange, rows }: DrawnHeatmap, equal: boolean): { width: number; height: number } {
  if (!equal) return { width: 440, height: 320 };
  const [x, y] = [cellAxis(xRange, rows[0]!.length).range, cellAxis(yRange, rows.length).range];
  const unit = Math.min(440 / (x[1] - x[0]), 400 / (y[1] - y[0]));
  return { width: Math.round((x[1] - x[0]) * unit), height: Math.round((y[1] - y[0]) * unit) };
}

function heatmapSvg(map: DrawnHeatmap, options: HeatmapOptions): string {
  const box: Box = { left: 76, top: 40, ...areaOf(map, options.equalAxes ?? false) };
  const bar: Box = { ...box, left: box.left + box.width + 16, width: 16 };
  const axes = [cellAxis(map.xRange, map.rows[0]!.length), cellAxis(map.yRange, map.rows.length)] as const;
  const content =
    axesSvg(box, ...axes, options) +
    rasterSvg(toRaster(map), box) +
    colorBar(map, bar, options.valueLabel ?? '');
  return svgDocument(bar.left + 16 + 88, box.top + box.height + 48, content);
}

function heatmapPlotly(map: DrawnHeatmap, options: HeatmapOptions): PlotlyFigure {
  const { rows, colors, xRange, yRange, valueRange } = map;
  const { xLabel, yLabel, valueLabel = '', title = '', equalAxes = false } = options;
  const [dx, dy] = [stepOf(xRange, rows[0]!.length), stepOf(yRange, rows.length)];
  const trace = {
    type: 'heatmap',
    z: rows,
    x0: xRange[0],
    dx: significant(dx, 12),
    y0: yRange[0],
    dy: significant(dy, 12),
    zmin: valueRange[0],
    zmax: valueRange[1],
    colorscale: plotlyScale(colors),
    hoverongaps: false,
    colorbar: {
      title: { text: valueLabel, font: { size: 13 }, side: 'right' },
      thickness: 16,
      outlinewidth: 0,
    },
  };
  const axis = (text: string) => ({ title: axisTitle(text), zeroline: false, constrain: 'domain' });
  const layout = {
    title: plotlyTitle(title),
    height: areaOf(map, equalAxes).height + 96,
    plot_bgcolor: `rgb(${noValue.join(',')})`,
    xaxis: axis(xLabel),
    yaxis: { ...axis(yLabel), ...(equalAxes && { scaleanchor: 'x' }) },
  };
  return { data: [trace], layout };
}

/** Some of the values, as they lie in the picture. */
function sampleRows({ rows, xRange, yRange }: DrawnHeatmap, { xLabel, yLabel }: HeatmapOptions): Row[] {
  const columns = rows[0]!.length;
  const at = (range: Range, count: number, i: number) => range[0] + i * stepOf(range, count);
  const names = sampleIndices(columns).map(
    (i) => [i, `${xLabel} ${formatNumber(at(xRange, columns, i))}`] as const,
  );
  return sampleIndices(rows.length)
    .reverse()
    .map((j) => ({
      [yLabel]: at(yRange, rows.length, j),
      ...Object.fromEntries(names.map(([i, name]) => [name, rows[j]![i]!])),
    }));
}

/**
 * Shows values of two variables in colours. In a notebook: a picture with some of its values as a table, over which an
 * interactive figure is drawn where scripts may run; elsewhere a preview in characters, light for large, and the table.
 * @throws Error when `alt` is missing or empty, the rows are not of one length, or there is nothing to draw.
 */
export function showHeatmap(options: HeatmapOptions & FigureOptions): void {
  const { alt, caption, sink = defaultSink() } = options;
  const text = checkAlt(alt);
  const map = drawnHeatmap(options);
  const subject = options.title || options.valueLabel || 'the heatmap';
  const table = { rows: sampleRows(map, options), caption: `Some values of: ${subject}` };
  if (sink.kind === 'notebook') {
    const details = `<details><summary>Values</summary>${tableHtml(table.rows, table)}</details>`;
    const svg = heatmapSvg(map, options);
    const script = plotlyScript(
      heatmapPlotly(map, options),
      areaOf(map, options.equalAxes ?? false).width + 196,
    );
    sink.html(figureHtml(svgImage(svg, text) + details, caption, script));
  } else {
    const view = { columns: sink.columns, color: sink.kind === 'terminal' };
    const picture = previewRaster(toRaster(map), view);
    sink.write(figureText({ alt: text, caption }) + picture + tableText(table.rows, table));
  }
}
