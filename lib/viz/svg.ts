/** SVG text: axes, labels and legend, on a white ground. The browser draws the letters. */
import { escapeHtml } from './html';
import { tickText } from './scale';
import type { Axis } from './scale';

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A place in pixels: tenths are enough. */
export const place = (value: number) => String(Number(value.toFixed(1)));

export function svgText(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${place(x)}" y="${place(y)}" ${attributes}>${escapeHtml(content)}</text>`;
}

export function svgLine(x1: number, y1: number, x2: number, y2: number, attributes: string): string {
  return `<line x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}" ${attributes}/>`;
}

/** Where a value of an axis lies: to the right, and upwards. */
export const toX =
  ({ left, width }: Box, axis: Axis) =>
  (value: number) =>
    left + axis.at(value) * width;
export const toY =
  ({ top, height }: Box, axis: Axis) =>
  (value: number) =>
    top + (1 - axis.at(value)) * height;

/** Grid lines, ticks and names of both axes, and the title. */
export function axesSvg(
  box: Box,
  xAxis: Axis,
  yAxis: Axis,
  { xLabel, yLabel, title = '' }: { xLabel: string; yLabel: string; title?: string },
): string {
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  const [middle, half] = [box.left + box.width / 2, box.top + box.height / 2];
  const parts: string[] = [];
  for (const tick of xAxis.ticks) {
    const x = toX(box, xAxis)(tick);
    parts.push(svgLine(x, box.top, x, bottom, 'stroke="#ddd"'));
    parts.push(svgText(x, bottom + 18, tickText(tick), 'text-anchor="middle"'));
  }
  for (const tick of yAxis.ticks) {
    const y = toY(box, yAxis)(tick);
    parts.push(svgLine(box.left, y, right, y, 'stroke="#ddd"'));
    parts.push(svgText(box.left - 8, y + 4, tickText(tick), 'text-anchor="end"'));
  }
  parts.push(svgText(middle, 22, title, 'text-anchor="middle" font-weight="bold"'));
  parts.push(svgText(middle, bottom + 36, xLabel, 'text-anchor="middle"'));
  parts.push(svgText(16, half, yLabel, `text-anchor="middle" transform="rotate(-90 16 ${place(half)})"`));
  return parts.join('');
}

/** Height of what stands below the area between the axes: ticks, name of the axis, rows of the legend. */
export const belowAxes = (legendRows: number) => 46 + 20 * legendRows;

/** Where the entries of a legend go: from left to right, in as many rows as they need. Guessed from their letters. */
export function legendPlaces(names: string[], width: number): { x: number; row: number }[] {
  let x = 0;
  let row = 0;
  return names.map((name) => {
    const length = 30 + 7.5 * name.length + 16;
    if (x > 0 && x + length - 16 > width) {
      x = 0;
      row++;
    }
    const entry = { x, row };
    x += length;
    return entry;
  });
}

/** The whole picture. */
export function svgDocument(width: number, height: number, content: string): string {
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" fill="#222">` +
    `<rect width="${width}" height="${height}" fill="#fff"/>${content}</svg>`
  );
}

/** The picture as an `img`: there SVG can run no script, and it is shown also in a notebook that is not trusted. */
export function svgImage(svg: string, alt: string): string {
  const [, width, height] = / width="(\d+)" height="(\d+)"/.exec(svg)!;
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return `<img alt="${escapeHtml(alt)}" width="${width}" height="${height}" src="${source}">`;
}
