import { looks, opacity } from './look';
import type { Look } from './look';
import { drawnChart, unbroken } from './series';
import type { ChartOptions, DrawnChart, DrawnSeries } from './series';
import { axesSvg, belowAxes, legendPlaces, place, svgDocument, svgLine, svgText, toX, toY } from './svg';
import type { Box } from './svg';

/** Functions from values to pixels. */
interface Scales {
  x: (value: number) => number;
  y: (value: number) => number;
  /** The vertical place on which bars stand. */
  ground: number;
}

type Pixel = [x: number, y: number];

const strokeOf = ({ color, dash }: Look) =>
  `stroke="${color}" stroke-width="2" stroke-dasharray="${dash.join(' ')}"`;

/** Vertical place of an end of an error bar; on a logarithmic axis it may lie below all that can be drawn. */
const endOf = ({ y, ground }: Scales, value: number) => (Number.isFinite(y(value)) ? y(value) : ground);

/** The corners of a line without those that lie within a quarter of a pixel of the way from the last to the next. */
function corners(points: Pixel[]): Pixel[] {
  const kept = points.slice(0, 1);
  let from = 0;
  for (let i = 1; i < points.length; i++) {
    const next = points[i + 1];
    const straight =
      next && points.slice(from + 1, i + 1).every((p) => distance(p, points[from]!, next) < 0.25);
    if (straight) continue;
    kept.push(points[i]!);
    from = i;
  }
  return kept;
}

/** How far a point lies from the stretch between two others. */
function distance([x, y]: Pixel, [x1, y1]: Pixel, [x2, y2]: Pixel): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const share = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x1 + share * dx - x, y1 + share * dy - y);
}

const through = (points: Pixel[]) =>
  corners(points)
    .map(([x, y]) => `${place(x)} ${place(y)}`)
    .join('L');

function lineSvg({ x, y, yError }: DrawnSeries, look: Look, scales: Scales): string {
  let path = '';
  let band = '';
  for (const stretch of unbroken(y)) {
    const line = (value: (i: number) => number) => stretch.map((i): Pixel => [scales.x(x[i]!), value(i)]);
    path += `M${through(line((i) => scales.y(y[i]!)))}`;
    if (yError) {
      const upper = line((i) => endOf(scales, y[i]! + yError[i]!));
      const lower = line((i) => endOf(scales, y[i]! - yError[i]!));
      band += `M${through(upper)}L${through(lower.reverse())}z`;
    }
  }
  const joins = 'stroke-linejoin="round" stroke-linecap="round"';
  return (
    (band && `<path d="${band}" fill="${look.color}" fill-opacity="${opacity.band}"/>`) +
    `<path d="${path}" fill="none" ${joins} ${strokeOf(look)}/>`
  );
}

function errorBars({ x, y, yError }: DrawnSeries, color: string, scales: Scales): string {
  if (!yError) return '';
  const path = x.map((value, i) => {
    const [top, bottom] = [endOf(scales, y[i]! + yError[i]!), endOf(scales, y[i]! - yError[i]!)];
    return `M${place(scales.x(value))} ${place(top)}V${place(bottom)}m-3 0h6M${place(scales.x(value) - 3)} ${place(top)}h6`;
  });
  return `<path d="${path.join('')}" fill="none" stroke="${color}"/>`;
}

/**
 * One path with a marker at each corner, from left to right, in steps of half a pixel: the shortest way to write
 * thousands of points.
 */
function pointsSvg(series: DrawnSeries, look: Look, scales: Scales, index: number): string {
  const { x, y, diameter } = series;
  const corners = x
    .map((value, i) => [Math.round(2 * scales.x(value)), Math.round(2 * scales.y(y[i]!))] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const steps = corners.map(([left, top], i) => {
    const [fromLeft, fromTop] = corners[i - 1] ?? [0, 0];
    return `${left - fromLeft} ${top - fromTop}`;
  });
  const size = 2.4 * diameter;
  const marker =
    `<marker id="m${index}" viewBox="-1.2 -1.2 2.4 2.4" markerUnits="userSpaceOnUse" ` +
    `markerWidth="${size}" markerHeight="${size}"><path d="${look.marker}" fill="${look.color}" ` +
    `fill-opacity="${opacity.points}"/></marker>`;
  const markers = ['start', 'mid'].map((where) => `marker-${where}="url(#m${index})"`).join(' ');
  const d = `m${steps.join(' ').replace(/ -/g, '-')}h0`;
  return `${marker}<path d="${d}" fill="none" transform="scale(.5)" ${markers}/>${errorBars(series, look.color, scales)}`;
}

function barsSvg(series: DrawnSeries, { color }: Look, scales: Scales): string {
  const { x, y, width } = series;
  const path = x.map((value, i) => {
    const [left, right] = [scales.x(value - width / 2), scales.x(value + width / 2)];
    return `M${place(left)} ${place(scales.ground)}V${place(scales.y(y[i]!))}H${place(right)}V${place(scales.ground)}z`;
  });
  const bars = `<path d="${path.join('')}" fill="${color}" fill-opacity="${opacity.bars}" stroke="#fff" stroke-width=".5"/>`;
  return bars + errorBars(series, '#000', scales);
}

function seriesSvg(series: DrawnSeries, index: number, scales: Scales): string {
  const look = looks[index]!;
  if (series.kind === 'line') return lineSvg(series, look, scales);
  return series.kind === 'points' ? pointsSvg(series, look, scales, index) : barsSvg(series, look, scales);
}

/** What stands before a name in the legend, in a box 24 pixels wide. */
function legendMark(kind: DrawnSeries['kind'], look: Look, x: number, y: number): string {
  if (kind === 'line') return svgLine(x, y, x + 24, y, strokeOf(look));
  if (kind === 'bars')
    return `<rect x="${x + 4}" y="${y - 6}" width="16" height="12" fill="${look.color}" fill-opacity="${opacity.bars}"/>`;
  return `<path d="${look.marker}" fill="${look.color}" transform="translate(${x + 12} ${y}) scale(4.5)"/>`;
}

/** A chart as SVG text. */
export function chartSvg(
  { series, xAxis, yAxis, width, height }: DrawnChart,
  labels: Pick<ChartOptions, 'xLabel' | 'yLabel' | 'title'>,
): string {
  const box: Box = { left: 76, top: 40, width, height };
  const y = toY(box, yAxis);
  const bottom = box.top + height;
  const zero = y(0); // not finite on a logarithmic axis: there bars stand on its end
  const ground = Number.isFinite(zero) ? zero : bottom;
  const scales: Scales = { x: toX(box, xAxis), y, ground };
  const places = legendPlaces(
    series.map(({ name }) => name),
    width,
  );
  const legend = series.map(({ name, kind }, index) => {
    const { x, row } = places[index]!;
    const middle = bottom + belowAxes(row) + 8;
    return (
      legendMark(kind, looks[index]!, box.left + x, middle) + svgText(box.left + x + 30, middle + 4, name)
    );
  });
  const clip = `<clipPath id="c"><rect x="${box.left - 1}" y="${box.top - 1}" width="${width + 2}" height="${height + 2}"/></clipPath>`;
  const content =
    axesSvg(box, xAxis, yAxis, labels) +
    `${clip}<g clip-path="url(#c)">${series.map((each, i) => seriesSvg(each, i, scales)).join('')}</g>` +
    legend.join('');
  return svgDocument(box.left + width + 20, bottom + belowAxes(places.at(-1)!.row + 1), content);
}

/**
 * A chart of lines, points or bars as SVG text on a white ground.
 * @throws Error when there is no series, or one has nothing that can be drawn.
 */
export function lineChart(options: ChartOptions): string {
  return chartSvg(drawnChart(options), options);
}
