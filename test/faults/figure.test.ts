import * as viz from '../../lib/viz';
import type { Sink } from '../../lib/viz';
import { notebookSink, textSink } from '../helpers/sinks';

const raster = { width: 2, height: 2, channels: 1 as const, data: Uint8Array.of(0, 255, 255, 0) };
type Options = { alt: string; sink: Sink };
const labels = { xLabel: 'x', yLabel: 'y' };

/** One call of each function that shows a picture. */
const shows: Record<string, (options: Options) => void> = {
  showImage: (options) => viz.showImage(raster, options),
  showStrip: (options) => viz.showStrip([{ raster, label: 'a' }], options),
  showChart: (options) =>
    viz.showChart({ series: [{ name: 'a', x: [0, 1], y: [0, 1] }], ...labels, ...options }),
  showHeatmap: (options) => viz.showHeatmap({ values: [[0, 1]], ...labels, ...options }),
  showAnimation: (options) => viz.showAnimation([raster, raster], options),
};

test('the list has every function that shows something; a table is text anyway', () => {
  const exported = Object.keys(viz).filter((name) => name.startsWith('show') && name !== 'showTable');
  expect(exported.sort()).toEqual(Object.keys(shows).sort());
});

describe.each(Object.entries(shows))('%s', (_, show) => {
  test('shows nothing without a description', () => {
    for (const { sink, html, text } of [
      { ...notebookSink(), text: [] },
      { ...textSink(), html: [] },
    ]) {
      for (const alt of [undefined as unknown as string, '', ' \n'])
        expect(() => show({ alt, sink })).toThrow(/needs `alt`/);
      expect([...html, ...text]).toEqual([]);
    }
  });

  test('has it on every picture of a notebook, and the same output each time', () => {
    const outputs = [0, 1].map(() => {
      const { sink, html } = notebookSink();
      show({ alt: 'A "thing"', sink });
      return html.join('');
    });
    const images = outputs[0]!.match(/<img [^>]*>/g)!;
    expect(images.length).toBeGreaterThan(0);
    images.forEach((image) => expect(image).toContain('alt="A &quot;thing&quot;'));
    expect(outputs[1]).toBe(outputs[0]);
  });

  test('writes text in a terminal and a log', () => {
    for (const kind of ['terminal', 'plain'] as const) {
      const { sink, text } = textSink(kind);
      show({ alt: 'A thing', sink });
      const [first, ...rest] = text.join('').split('\n');
      expect(first).toBe('[A thing]');
      expect(rest.join('').trim().length).toBeGreaterThan(0);
      expect(text.join('')).not.toContain('<');
    }
  });
});
