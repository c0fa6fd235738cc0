import { chartPlotly } from './chartPlotly';
import { chartSvg } from './chartSvg';
import { defaultSink } from './environment';
import { figureHtml, figureText } from './figure';
import type { FigureOptions } from './figure';
import { checkAlt } from './html';
import { plotlyScript } from './plotly';
import { drawnChart } from './series';
import type { ChartOptions } from './series';
import { svgImage } from './svg';
import { sampleIndices, tableHtml, tableText } from './table';
import type { Row } from './table';

/** Some values of each series, first and last among them: the chart for those who do not see it. */
function sampleRows({ series, xLabel, yLabel }: ChartOptions): Row[] {
  return series.flatMap(({ name, x, y, yError }) =>
    sampleIndices(x.length).map((i) => ({
      series: name,
      [xLabel]: x[i]!,
      [yLabel]: y[i]!,
      ...(yError && { '±': yError[i]! }),
    })),
  );
}

/**
 * Shows a chart of lines, points or bars. In a notebook: a picture with some of its values as a table, over which an
 * interactive figure is drawn where scripts may run; elsewhere the table alone.
 * @throws Error when `alt` is missing or empty, or the series cannot be drawn.
 */
export function showChart(options: ChartOptions & FigureOptions): void {
  const { alt, caption, sink = defaultSink() } = options;
  const text = checkAlt(alt);
  const chart = drawnChart(options);
  const table = { rows: sampleRows(options), caption: `Some values of: ${options.title || options.yLabel}` };
  if (sink.kind === 'notebook') {
    const details = `<details><summary>Values</summary>${tableHtml(table.rows, table)}</details>`;
    const script = plotlyScript(chartPlotly(chart, options), chart.width + 96);
    sink.html(figureHtml(svgImage(chartSvg(chart, options), text) + details, caption, script));
  } else {
    sink.write(figureText({ alt: text, caption }) + tableText(table.rows, table));
  }
}
