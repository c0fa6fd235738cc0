import { decodePng } from '../../lib/io';
import { heatmapRaster, showHeatmap } from '../../lib/viz';
import { notebookSink, plotlyOf, svgOf, textSink } from '../helpers/sinks';

const values = [
  [0, 1, 2],
  [3, NaN, 4],
];
const labels = { xLabel: 'x', yLabel: 'y', alt: 'Rises' };
const first = [68, 1, 84]; // the ends of the sequential colours, and grey for what is no number
const last = [253, 231, 37];

test('the first row is at the bottom, the smallest value dark, the largest light, no number grey', () => {
  const { width, height, channels, data } = heatmapRaster({ values });
  expect([width, height, channels]).toEqual([3, 2, 3]);
  const pixel = (x: number, y: number) => Array.from(data.slice(3 * (3 * y + x), 3 * (3 * y + x + 1)));
  expect(pixel(0, 1)).toEqual(first);
  expect(pixel(2, 0)).toEqual(last);
  expect(pixel(1, 0)).toEqual([190, 190, 190]);
});

test('diverging colours have near white at 0, also when the values do not lie about it', () => {
  const { data } = heatmapRaster({ values: [[0, 10, -1]], colors: 'diverging' });
  expect(Array.from(data.slice(0, 6))).toEqual([247, 247, 247, 103, 0, 31]);
});

test('picture and interactive figure show the same, on the same axes', () => {
  const { sink, html } = notebookSink();
  showHeatmap({ ...labels, values, xRange: [-1, 1], yRange: [0, 10], valueLabel: 'v', title: 't', sink });
  const [, png] = /href="data:image\/png;base64,([^"]*)"/.exec(svgOf(html[0]!))!;
  const raster = decodePng(Buffer.from(png!, 'base64'));
  expect(Array.from(raster.data)).toEqual(Array.from(heatmapRaster({ values }).data));
  const { data } = plotlyOf(html[0]!);
  expect(data).toMatchObject([
    { type: 'heatmap', z: [[0, 1, 2], [3, null, 4]], x0: -1, dx: 1, y0: 0, dy: 10, zmin: 0, zmax: 4 }, // prettier-ignore
  ]);
  expect(html[0]).toMatch(/^<figure role="group"><img alt="Rises" .*<details><summary>Values.*<script>/s);
});

test('equal axes: a cell is as wide as high when its sides are', () => {
  const { sink, html } = notebookSink();
  showHeatmap({ ...labels, values: [[1, 2], [3, 4], [5, 6]], equalAxes: true, sink }); // prettier-ignore
  const [, width, height] = /<image [^>]*width="(\d+)" height="(\d+)"/.exec(svgOf(html[0]!))!;
  expect(Number(width) / 2).toBeCloseTo(Number(height) / 3, 0);
  expect(plotlyOf(html[0]!).layout.yaxis.scaleanchor).toBe('x');
});

test('elsewhere: the description, characters and some values, top row first', () => {
  const { sink, text } = textSink();
  showHeatmap({ ...labels, values, sink });
  expect(text.join('')).toMatch(
    /^\[Rises\]\n.{1,3}\nSome values of: the heatmap\ny +x 0 +x 1 +x 2\n[- ]+\n1 +3 +NaN +4\n0 +0 +1 +2\n$/,
  );
});

test('one column, one row, one value', () => {
  for (const single of [[[1]], [[1, 2]], [[1], [2]]]) {
    const { sink, html } = notebookSink();
    showHeatmap({ ...labels, values: single, sink });
    expect(svgOf(html[0]!)).not.toContain('NaN');
  }
});

test('what cannot be drawn is refused', () => {
  const show = (more: object) => () => heatmapRaster({ values, ...more });
  expect(show({ values: [] })).toThrow(/rows of one length, at least 1, but they have none/);
  expect(show({ values: [[1], [1, 2]] })).toThrow(/but they have 1, 2/);
  expect(show({ values: [[NaN]] })).toThrow(/at least one finite value/);
  expect(show({ values: Array(101).fill(Array(100).fill(0)) })).toThrow(
    /at most 10,000 values, not 101 x 100/,
  );
  expect(show({ valueRange: [1, 1] })).toThrow(
    /valueRange must be two numbers, the smaller first, not \[1, 1\]/,
  );
});
