import { histogram, lineChart, showChart } from '../../lib/viz';
import type { ChartOptions } from '../../lib/viz';
import { linearTicks, logTicks } from '../../lib/viz/scale';
import { legendPlaces } from '../../lib/viz/svg';
import { notebookSink, plotlyOf, svgOf } from '../helpers/sinks';

const labels = { xLabel: 'x', yLabel: 'y' };
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

function shown(options: Omit<ChartOptions, 'xLabel' | 'yLabel'>) {
  const { sink, html } = notebookSink();
  showChart({ ...labels, ...options, alt: 'A chart', sink });
  return { html: html[0]!, svg: svgOf(html[0]!), plotly: plotlyOf(html[0]!) };
}
const paths = (svg: string) => [...svg.matchAll(/<path d="([^"]*)"/g)].map((match) => match[1]!);

describe('ticks', () => {
  test('linear: round numbers', () => {
    expect(linearTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(-7, 23)).toEqual([-5, 0, 5, 10, 15, 20]);
  });

  test('logarithmic: few decades, many, and less than one', () => {
    expect(logTicks(1, 100)).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(logTicks(1e-3, 10)).toEqual([0.001, 0.01, 0.1, 1, 10]);
    expect(logTicks(1e-30, 1)).toEqual(range(11).map((i) => Number(`1e${3 * i - 30}`)));
    expect(logTicks(1.1, 1.9)).toEqual(linearTicks(1.1, 1.9));
  });
});

describe('kinds of series', () => {
  test('points: a marker at each corner, in half pixels; the same numbers for both renderings', () => {
    const points = { name: 'p', kind: 'points' as const, x: [1, 0], y: [0, 1] };
    const { svg, plotly } = shown({ series: [points], xRange: [0, 1], yRange: [0, 1] });
    expect(svg).toContain('<path d="m152 80 1088 520h0"'); // (76, 40), then (620, 300)
    expect(svg).toContain('marker-mid="url(#m0)"');
    expect(plotly.data).toMatchObject([{ type: 'scatter', mode: 'markers', x: [1, 0], y: [0, 1] }]);
  });

  test('bars stand on 0 and touch', () => {
    const { svg, plotly } = shown({
      series: [{ name: 'b', kind: 'bars', x: [1, 2, 3], y: [2, -1, 1] }],
      yRange: [-1, 2],
    });
    const width = 544 / 3;
    expect(paths(svg)[0]).toMatch(/^M76 213.3V40H257.3V213.3z/);
    expect(257.3).toBeCloseTo(76 + width, 1);
    expect(plotly.data).toMatchObject([{ type: 'bar', x0: 1, dx: 1, y: [2, -1, 1], width: 1 }]);
  });

  test('errors: a band around a line, whiskers at points', () => {
    const yError = [0.5, 1];
    const band = shown({ series: [{ name: 'l', x: [0, 1], y: [1, 2], yError }], yRange: [0, 3] });
    expect(paths(band.svg)[0]).toBe('M76 170L620 40L620 213.3L76 256.7z'); // 1.5, 3, 1, 0.5
    expect(band.plotly.data[0]).toMatchObject({ fill: 'toself', x: [0, 1, 1, 0], y: [1.5, 3, 1, 0.5] });
    const points = shown({ series: [{ name: 'p', kind: 'points', x: [0, 1], y: [1, 2], yError }] });
    expect(points.plotly.data[0].error_y.array).toEqual(yError);
    expect(points.svg).toMatch(/V[\d.]+m-3 0h6/);
    expect(band.html).toContain('<th scope="col">±</th>');
  });

  test('a band that reaches below a logarithmic axis ends on it', () => {
    const series = [{ name: 'l', x: [0, 1], y: [1, 10], yError: [2, 1] }];
    const { svg, plotly } = shown({ series, logY: true });
    expect(svg).not.toContain('NaN');
    expect(Math.min(...plotly.data[0].y)).toBeGreaterThan(0);
  });
});

describe('axes', () => {
  test('logarithmic to the right: decades are equally far apart, what is not above 0 is left out', () => {
    const series = [{ name: 'a', x: [0, 1, 10, 100], y: [5, 0, 3, 2] }];
    const { svg, plotly } = shown({ series, logX: true, yRange: [0, 10] });
    expect(paths(svg)).toEqual(['M76 300L348 222L620 248']);
    expect(plotly.layout.xaxis).toMatchObject({ type: 'log', range: [0, 2] });
    expect(plotly.data[0].y).toEqual([null, 0, 3, 2]);
  });

  test('equal: a unit is as long on both, and all points are in', () => {
    const { svg, plotly } = shown({
      series: [{ name: 'a', kind: 'points', x: [-10, 10], y: [-1, 1] }],
      equalAxes: true,
    });
    const [x, y] = [plotly.layout.xaxis.range, plotly.layout.yaxis.range];
    expect((x[1] - x[0]) / 404).toBeCloseTo((y[1] - y[0]) / 400, 5);
    expect(x[0]).toBeLessThanOrEqual(-10);
    expect(plotly.layout.yaxis.scaleanchor).toBe('x');
    expect(svg).toContain('width="500"');
  });

  test('the legend has as many rows as its names need', () => {
    const names = ['linear', 'cosine', 'a rather long name', 'quadratic schedule', 'sigmoid'];
    const places = legendPlaces(names, 544);
    expect(places.map(({ row }) => row)).toEqual([0, 0, 0, 0, 1]);
    places.forEach(({ x }, i) => expect(x + 30 + 7.5 * names[i]!.length).toBeLessThanOrEqual(544));
    const height = (list: string[]) =>
      Number(/height="(\d+)"/.exec(shown({ series: list.map((name) => ({ name, x: [0, 1], y: [0, 1] })) }).svg)![1]); // prettier-ignore
    expect(height(names) - height(['a'])).toBe(20);
  });
});

describe('size', () => {
  test('a long line is thinned, but keeps its ends, its peaks and its gaps', () => {
    const y: number[] = range(100_000).map((i) => Math.sin(i / 5000));
    y[41_234] = 7;
    y[41_300] = -7;
    y[70_000] = NaN;
    const { plotly, html } = shown({ series: [{ name: 'a', x: range(100_000), y }] });
    const { x, y: kept } = plotly.data[0];
    expect(x.length).toBeLessThanOrEqual(403);
    expect([x[0], x[x.length - 1]]).toEqual([0, 99_999]);
    expect(kept).toEqual(expect.arrayContaining([7, -7, null]));
    expect(html.length).toBeLessThan(25_000);
  });

  test('a straight line needs two corners in the picture; hardly bent ones stay within a quarter of a pixel', () => {
    const straight = lineChart({ ...labels, series: [{ name: 'a', x: range(300), y: range(300) }] });
    expect(paths(straight)).toEqual(['M76 300L620 40']);
    const svg = lineChart({ ...labels, series: [{ name: 'a', x: range(300), y: range(300).map((i) => i * i) }] }); // prettier-ignore
    const corners = [...paths(svg)[0]!.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]); // prettier-ignore
    expect(corners.length).toBeLessThan(60);
    for (const i of range(300)) {
      const x = 76 + (i / 299) * 544;
      const right = corners.findIndex((corner) => corner[0]! >= x - 0.05);
      const [x1, y1] = corners[Math.max(0, right - 1)]!;
      const [x2, y2] = corners[right]!;
      const y = x2 === x1 ? y2! : y1! + ((x - x1!) / (x2! - x1!)) * (y2! - y1!);
      expect(Math.abs(y - (300 - (i / 299) ** 2 * 260))).toBeLessThan(0.45); // and tenths are rounded
    }
  });

  test('thousands of points', () => {
    const x = range(10_000).map((i) => Math.sin(i * i));
    const { plotly, html } = shown({ series: [{ name: 'a', kind: 'points', x, y: x.map((v) => v / 3) }] });
    expect(plotly.data[0].x).toHaveLength(2000);
    expect(html.length).toBeLessThan(60_000);
  });

  test('the same numbers give the same output', () => {
    const series = [{ name: 'a', x: range(50), y: range(50).map(Math.sqrt) }];
    expect(shown({ series }).html).toBe(shown({ series }).html);
  });
});

test('a histogram counts; as a density its area is the share within its range', () => {
  const values = [0, 0.1, 0.9, 1, 1.5, 2];
  expect(histogram(values, { bins: 2, density: false })).toEqual({
    name: 'histogram',
    kind: 'bars',
    x: [0.5, 1.5],
    y: [3, 3], // the largest value belongs to the last bin
  });
  const { y } = histogram(values, { bins: 4, range: [0, 1] });
  expect(Array.from(y).reduce((sum, height) => sum + height / 4, 0)).toBeCloseTo(4 / 6, 12);
  expect(() => histogram([])).toThrow(/at least one value/);
  expect(() => histogram([1, NaN])).toThrow(/only finite/);
  expect(() => histogram([1], { bins: 0 })).toThrow(/bins must be a whole number >= 1, not 0/);
});

test('what does not fit is refused', () => {
  const one = { name: 'a', x: [1, 2], y: [1, 2] };
  const chart =
    (series: object, more: object = {}) =>
    () =>
      lineChart({ ...labels, series: [{ ...one, ...series }], ...more });
  expect(chart({ kind: 'pie' })).toThrow(/"a" has the kind 'pie'; it can be 'line', 'points' or 'bars'/);
  expect(chart({ yError: [1] })).toThrow(/needs 2 values in yError/);
  expect(chart({ yError: [1, -1] })).toThrow(/none below 0/);
  expect(chart({ kind: 'bars' }, { logX: true })).toThrow(/leave out logX/);
  expect(chart({}, { equalAxes: true, logY: true })).toThrow(/equalAxes needs linear axes/);
  expect(chart({}, { xRange: [2, 1] })).toThrow(
    /xRange must be two numbers, the smaller first, not \[2, 1\]/,
  );
  expect(chart({}, { yRange: [0, 1], logY: true })).toThrow(/two numbers above 0/);
});
