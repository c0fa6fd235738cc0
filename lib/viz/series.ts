/** What a chart shows, and the numbers that both of its renderings, picture and interactive, draw. */
import { createAxis, rangeOf, significant, widen } from './scale';
import type { Axis, Range } from './scale';

export type SeriesKind = 'line' | 'points' | 'bars';

export interface Series {
  name: string;
  x: ArrayLike<number>;
  /** As many as `x`; a value that cannot be drawn (NaN, or not above 0 on a logarithmic axis) breaks the line. */
  y: ArrayLike<number>;
  /** A line by default; bars stand on 0 with their middle at `x`. */
  kind?: SeriesKind;
  /** Half the length of an error bar at each value; around a line it is drawn as a band. */
  yError?: ArrayLike<number>;
}

export interface ChartOptions {
  /** 1 to 5; the first is drawn first. */
  series: Series[];
  xLabel: string;
  yLabel: string;
  title?: string;
  /** Logarithmic horizontal axis; false by default. */
  logX?: boolean;
  /** Logarithmic vertical axis; false by default. */
  logY?: boolean;
  /** Ends of the axes; by default all values fit in. */
  xRange?: Range;
  yRange?: Range;
  /** One unit is as long to the right as upwards, as for points in a plane; false by default. */
  equalAxes?: boolean;
}

/** A series as it is drawn: no more values than can be told apart. A gap of a line has NaN as y. */
export interface DrawnSeries {
  name: string;
  kind: SeriesKind;
  x: number[];
  y: number[];
  yError?: number[];
  /** Of bars: how wide each is. */
  width: number;
  /** Of points: how wide each is, in pixels. */
  diameter: number;
}

export interface DrawnChart {
  series: DrawnSeries[];
  xAxis: Axis;
  yAxis: Axis;
  /** Sides of the area between the axes, in pixels. */
  width: number;
  height: number;
}

export const MAX_SERIES = 5;
/** More are thinned: a line is some 550 pixels wide, and each value costs room in the notebook's file. */
const MAX_LINE = 400;
const MAX_POINTS = 2000;

type Drawable = (x: number, y: number) => boolean;

function checkRange(name: string, range: Range | undefined, log: boolean): void {
  if (!range) return;
  const [min, max] = range;
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max && (!log || min > 0)))
    throw new RangeError(
      `${name} must be two numbers${log ? ' above 0' : ''}, the smaller first, not [${range.join(', ')}].`,
    );
}

function checkChart(options: ChartOptions, drawable: Drawable): void {
  const { series, logX = false, logY = false, xRange, yRange, equalAxes = false } = options;
  if (series.length < 1 || series.length > MAX_SERIES)
    throw new Error(`A chart shows 1 to ${MAX_SERIES} series, not ${series.length}. Make several charts.`);
  if (equalAxes && (logX || logY))
    throw new Error('equalAxes needs linear axes: leave out logX and logY, or equalAxes.');
  checkRange('xRange', xRange, logX);
  checkRange('yRange', yRange, logY);
  for (const { name, x, y, kind = 'line', yError } of series) {
    if (!['line', 'points', 'bars'].includes(kind))
      throw new Error(`The series "${name}" has the kind '${kind}'; it can be 'line', 'points' or 'bars'.`);
    if (kind === 'bars' && logX)
      throw new Error(`The bars of "${name}" need a linear horizontal axis: leave out logX.`);
    if (x.length !== y.length)
      throw new Error(`The series "${name}" has ${x.length} x values, but ${y.length} y values.`);
    if (yError && (yError.length !== y.length || Array.from(yError).some((value) => value < 0)))
      throw new Error(
        `The series "${name}" needs ${y.length} values in yError, none below 0: half of each error bar.`,
      );
    if (!Array.from(y).some((value, i) => drawable(x[i]!, value)))
      throw new Error(
        `The series "${name}" has no value that can be drawn${logX || logY ? ' on a logarithmic axis' : ''}.`,
      );
  }
}

/** Which values of a long line are kept: of each stretch the smallest, the largest and a gap; and both ends. */
function thinLine(y: ArrayLike<number>, visible: (i: number) => boolean): number[] {
  if (y.length <= MAX_LINE) return Array.from(y, (_, i) => i);
  const kept = new Set([0, y.length - 1]);
  const stretches = MAX_LINE / 2;
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * y.length) / stretches);
    const to = Math.floor(((stretch + 1) * y.length) / stretches);
    let low = -1;
    let high = -1;
    for (let i = from; i < to; i++) {
      if (!visible(i)) kept.add(i);
      else {
        if (low < 0 || y[i]! < y[low]!) low = i;
        if (high < 0 || y[i]! > y[high]!) high = i;
      }
    }
    for (const i of [low, high]) if (i >= 0) kept.add(i);
  }
  return [...kept].sort((a, b) => a - b);
}

/** Which of many points are kept: evenly from the list. */
function thinPoints(indices: number[]): number[] {
  if (indices.length <= MAX_POINTS) return indices;
  return Array.from(
    { length: MAX_POINTS },
    (_, i) => indices[Math.floor((i * indices.length) / MAX_POINTS)]!,
  );
}

function drawSeries({ name, x, y, kind = 'line', yError }: Series, drawable: Drawable): DrawnSeries {
  const visible = (i: number) => drawable(x[i]!, y[i]!);
  const all = Array.from(y, (_, i) => i).filter(visible);
  const indices = kind === 'line' ? thinLine(y, visible) : kind === 'points' ? thinPoints(all) : all;
  const digits = kind === 'points' ? 4 : 6;
  const pick = (values: ArrayLike<number>, places = digits) =>
    indices.map((i) => significant(values[i]!, places));
  const places = kind === 'points' ? digits : 7; // of x: steps of a long training stay apart
  const sorted = pick(x, places).sort((a, b) => a - b);
  const steps = sorted.slice(1).map((value, i) => value - sorted[i]!).filter((step) => step > 0); // prettier-ignore
  return {
    name,
    kind,
    x: pick(x, places),
    y: pick(y).map((value, i) => (visible(indices[i]!) ? value : NaN)),
    yError: yError && pick(yError),
    width: steps.length > 0 ? significant(steps.reduce((a, b) => Math.min(a, b)), 6) : 1, // prettier-ignore
    diameter: indices.length > 500 ? 3 : 7,
  };
}

/** The indices of each stretch of a line without a gap. */
export function unbroken(y: number[]): number[][] {
  const stretches: number[][] = [];
  y.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    if (i === 0 || Number.isNaN(y[i - 1])) stretches.push([]);
    stretches.at(-1)!.push(i);
  });
  return stretches;
}

/** The values that an axis must hold. */
function xExtent({ kind, x, y, width }: DrawnSeries): number[] {
  const drawn = x.filter((_, i) => !Number.isNaN(y[i]));
  return kind === 'bars' ? drawn.flatMap((value) => [value - width / 2, value + width / 2]) : drawn;
}
function yExtent({ kind, y, yError }: DrawnSeries): number[] {
  const ends = y.flatMap((value, i) => (yError ? [value, value - yError[i]!, value + yError[i]!] : [value]));
  const drawn = ends.filter((value) => !Number.isNaN(value));
  if (kind !== 'bars') return drawn;
  return [0, ...drawn, 1.05 * Math.max(...drawn)]; // air above the highest bar
}

/** Makes the shorter range longer, about its middle, until a unit is as long on both axes. */
function equalize(x: Range, y: Range, aspect: number): [Range, Range] {
  const unit = Math.max((x[1] - x[0]) / aspect, y[1] - y[0]);
  const about = ([min, max]: Range, length: number): Range => [
    (min + max - length) / 2,
    (min + max + length) / 2,
  ];
  return [about(x, unit * aspect), about(y, unit)];
}

/**
 * The numbers that the chart's renderings draw: checked, thinned and rounded, with the axes around them.
 * @throws Error when there is no series, or one has nothing that can be drawn.
 */
export function drawnChart(options: ChartOptions): DrawnChart {
  const { logX = false, logY = false, equalAxes = false } = options;
  const drawable: Drawable = (x, y) =>
    Number.isFinite(x) && Number.isFinite(y) && (!logX || x > 0) && (!logY || y > 0);
  checkChart(options, drawable);
  const series = options.series.map((each) => drawSeries(each, drawable));
  const fit = (extent: (one: DrawnSeries) => number[], log: boolean): Range => {
    const values = series.flatMap(extent).filter((value) => !log || value > 0);
    const range = rangeOf(values, log);
    return series.some(({ kind }) => kind === 'points') ? widen(range, 0.04, log) : range;
  };
  const { width, height } = equalAxes ? { width: 404, height: 400 } : { width: 544, height: 260 };
  let xRange = options.xRange ?? fit(xExtent, logX);
  let yRange = options.yRange ?? fit(yExtent, logY);
  if (equalAxes) [xRange, yRange] = equalize(xRange, yRange, width / height);
  return { series, xAxis: createAxis(xRange, logX), yAxis: createAxis(yRange, logY), width, height };
}
