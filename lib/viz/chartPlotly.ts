import { looks, opacity } from './look';
import type { Look } from './look';
import { axisTitle, plotlyLayout, plotlyTitle } from './plotly';
import type { PlotlyFigure } from './plotly';
import type { Axis } from './scale';
import { significant } from './scale';
import { unbroken } from './series';
import type { ChartOptions, DrawnChart, DrawnSeries } from './series';
import { belowAxes, legendPlaces } from './svg';

/** The values of x: only the first and the distance when they are evenly spaced. */
function xValues(x: number[]): object {
  const dx = (x[x.length - 1]! - x[0]!) / (x.length - 1);
  const even = x.length > 2 && x.every((value, i) => Math.abs(value - x[0]! - i * dx) <= 1e-6 * Math.abs(dx));
  return even && dx !== 0 ? { x0: x[0], dx: significant(dx, 12) } : { x };
}

/** The band around a line: one closed outline for each unbroken stretch. */
function bandTrace({ x, y, yError, name }: DrawnSeries, color: string, lowest: number): object {
  const outline: [number, number][] = [];
  for (const stretch of unbroken(y)) {
    if (outline.length > 0) outline.push([NaN, NaN]);
    for (const i of stretch) outline.push([x[i]!, significant(y[i]! + yError![i]!, 6)]);
    for (const i of stretch.reverse())
      outline.push([x[i]!, Math.max(lowest, significant(y[i]! - yError![i]!, 6))]);
  }
  return {
    type: 'scatter',
    mode: 'lines',
    x: outline.map(([value]) => value),
    y: outline.map(([, value]) => value),
    fill: 'toself',
    fillcolor: color,
    opacity: opacity.band,
    line: { width: 0 },
    hoverinfo: 'skip',
    showlegend: false,
    legendgroup: name,
  };
}

function traces(series: DrawnSeries, { color, dash, symbol }: Look, yAxis: Axis): object[] {
  const { name, kind, x, y, yError, width, diameter } = series;
  const trace = { name, legendgroup: name, ...xValues(x), y };
  if (kind === 'line') {
    const line = { color, width: 2, dash: dash.length > 0 ? dash.map((d) => `${d}px`).join(',') : 'solid' };
    const lowest = yAxis.log ? yAxis.range[0] : -Infinity;
    const band = yError ? [bandTrace(series, color, lowest)] : [];
    return [...band, { type: 'scatter', mode: 'lines', ...trace, line }];
  }
  const errors = yError && { error_y: { type: 'data', array: yError, thickness: 1, width: 3 } };
  if (kind === 'bars')
    return [{ type: 'bar', ...trace, ...errors, width, marker: { color }, opacity: opacity.bars }];
  const marker = { color, symbol, size: diameter, opacity: opacity.points };
  return [{ type: 'scatter', mode: 'markers', ...trace, ...errors, marker }];
}

function axisLayout(axis: Axis, title: string): object {
  const ends = axis.log ? axis.range.map(Math.log10) : axis.range;
  return {
    type: axis.log ? 'log' : 'linear',
    range: ends.map((end) => significant(end, 6)),
    title: axisTitle(title),
    gridcolor: '#ddd',
    zeroline: false,
    exponentformat: 'e',
    minorloglabels: 'complete',
    ...(axis.log && axis.range[1] < 1000 * axis.range[0] && { dtick: 'D2' }), // 1, 2, 5, 10, 20...
  };
}

/** A chart for Plotly. */
export function chartPlotly(
  { series, xAxis, yAxis, width, height }: DrawnChart,
  { xLabel, yLabel, title = '', equalAxes = false }: ChartOptions,
): PlotlyFigure {
  const names = series.map(({ name }) => name);
  const bottom = belowAxes(legendPlaces(names, width).at(-1)!.row + 1);
  const layout = {
    title: plotlyTitle(title),
    height: plotlyLayout.margin.t + height + bottom, // as high as the static picture
    margin: { ...plotlyLayout.margin, b: bottom },
    barmode: 'overlay',
    showlegend: true,
    legend: {
      orientation: 'h',
      x: 0,
      y: -44 / height,
      yanchor: 'top',
      itemsizing: series.some(({ diameter, kind }) => kind === 'points' && diameter < 7)
        ? 'constant'
        : 'trace',
    },
    xaxis: axisLayout(xAxis, xLabel),
    yaxis: { ...axisLayout(yAxis, yLabel), ...(equalAxes && { scaleanchor: 'x' }) },
  };
  return { data: series.flatMap((each, index) => traces(each, looks[index]!, yAxis)), layout };
}
