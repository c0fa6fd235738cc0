import { decodePng } from '../../lib/io';
import type { Raster } from '../../lib/io';
import {
  defaultSink,
  formatNumber,
  inNotebook,
  lineChart,
  showChart,
  showImage,
  showStrip,
  showTable,
} from '../../lib/viz';
import type { Sink } from '../../lib/viz';

const raster: Raster = { width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 255, 255, 0) };

function notebook(): { sink: Sink; html: string[] } {
  const html: string[] = [];
  return {
    html,
    sink: {
      kind: 'notebook',
      html: (markup) => html.push(markup),
      slot: () => (markup) => html.push(markup),
    },
  };
}
function plain(): { sink: Sink; text: string[] } {
  const text: string[] = [];
  return { text, sink: { kind: 'plain', columns: 80, write: (part) => text.push(part) } };
}

describe('where we are', () => {
  const tslab = { display: { html: jest.fn() }, newDisplay: jest.fn(() => ({ html: jest.fn() })) };
  const load = jest.fn((_: string) => tslab);
  const file = '/course/node_modules/tslab/dist/jupyter.js';

  test('no notebook here: not loaded, loaded by a script, or not the kernel’s copy', () => {
    expect(inNotebook()).toBe(false);
    expect(inNotebook({ modules: {}, load })).toBe(false);
    expect(inNotebook({ modules: { [file]: { exports: { lastWriteDisplayData: null } } }, load })).toBe(
      false,
    );
    expect(load).not.toHaveBeenCalled();
  });

  test('in the kernel, the copy that serves it is used', () => {
    const modules = {
      '/global/node_modules/tslab/dist/jupyter.js': { exports: { lastWriteDisplayData: null } },
      [file]: { exports: { lastWriteDisplayData: () => undefined } },
    };
    expect(inNotebook({ modules, load })).toBe(true);
    expect(load).toHaveBeenLastCalledWith('/course/node_modules/tslab/dist/public.js');
    const sink = defaultSink(process.stdout, { modules, load });
    if (sink.kind !== 'notebook') throw new Error('should be a notebook');
    sink.html('<b>');
    expect(tslab.display.html).toHaveBeenCalledWith('<b>');
    const replace = sink.slot();
    replace('1');
    replace('2');
    expect(tslab.newDisplay).toHaveBeenCalledTimes(1);
  });
});

describe('pictures', () => {
  test('in a notebook: figure, alternative text, the very pixels as PNG, caption; all escaped', () => {
    const { sink, html } = notebook();
    showImage(raster, { alt: 'A "cross" <of> two & two', caption: 'x < y', sink });
    const match =
      /^<figure role="group"><img alt="([^"]*)" width="2" height="2" src="data:image\/png;base64,([^"]*)"><figcaption>x &lt; y<\/figcaption><\/figure>$/.exec(
        html.join(''),
      )!;
    expect(match[1]).toBe('A &quot;cross&quot; &lt;of&gt; two &amp; two');
    expect(Array.from(decodePng(Buffer.from(match[2]!, 'base64')).data)).toEqual([0, 255, 255, 0]);
  });

  test('elsewhere: description, caption and a preview', () => {
    const { sink, text } = plain();
    showImage(raster, { alt: 'A cross', caption: 'Figure 1', sink });
    expect(text.join('')).toBe('[A cross]\nFigure 1\n++\n');
  });

  test('without a description nothing is shown', () => {
    const { sink, html } = notebook();
    for (const alt of [undefined, '', '  ']) {
      expect(() => showImage(raster, { alt: alt as string, sink })).toThrow(/needs `alt`/);
      expect(() => showStrip([{ raster, label: 'a' }], { alt: alt as string, sink })).toThrow(/needs `alt`/);
    }
    expect(() => showStrip([], { alt: 'Nothing', sink })).toThrow(/at least one picture/);
    expect(html).toEqual([]);
  });

  test('a strip says of each picture what it is', () => {
    const { sink, html } = notebook();
    showStrip([{ raster, label: 't = 0' }, { raster, label: 't < 9' }], { alt: 'A digit at', sink }); // prettier-ignore
    expect([...html[0]!.matchAll(/alt="([^"]*)"/g)].map((match) => match[1])).toEqual([
      'A digit at t = 0',
      'A digit at t &lt; 9',
    ]);
    expect(html[0]).toContain('<td align="center">t &lt; 9</td>');
    const { sink: other, text } = plain();
    showStrip([{ raster, label: 't = 0' }], { alt: 'A digit at', sink: other });
    expect(text.join('')).toBe('[A digit at]\nt = 0\n++\n');
  });
});

describe('tables', () => {
  const rows = [
    { name: '<small>', parameters: 165633, loss: 0.0312345 },
    { name: 'lecture', parameters: 7, loss: null },
  ];

  test('in a notebook: caption, headings, escaped', () => {
    const { sink, html } = notebook();
    showTable(rows, { caption: 'Two & two', sink });
    expect(html[0]).toBe(
      '<table><caption>Two &amp; two</caption><thead><tr><th scope="col">name</th><th scope="col">parameters</th>' +
        '<th scope="col">loss</th></tr></thead><tbody>' +
        '<tr><td>&lt;small&gt;</td><td align="right">165,633</td><td align="right">0.03123</td></tr>' +
        '<tr><td>lecture</td><td align="right">7</td><td></td></tr></tbody></table>',
    );
  });

  test('elsewhere: aligned', () => {
    const { sink, text } = plain();
    showTable(rows, { caption: 'Two', columns: ['name', 'parameters'], sink });
    expect(text.join('')).toBe(
      [
        'Two',
        'name     parameters',
        '-------  ----------',
        '<small>     165,633',
        'lecture           7',
        '',
      ].join('\n'),
    );
    expect(() => showTable([], { caption: 'Two', sink })).toThrow(/at least one row/);
  });

  test('numbers for reading', () => {
    const shown = [0, -0.5, 55000, 1 / 3, 4.0358e-5, 123456.7, 1.5e9 + 0.5, NaN, Infinity].map(formatNumber);
    expect(shown).toEqual([
      '0',
      '-0.5000',
      '55,000',
      '0.3333',
      '4.036e-5',
      '123,457',
      '1.500e+9',
      'NaN',
      'Infinity',
    ]);
  });
});

describe('line charts', () => {
  const series = [{ name: 'loss <b>', x: [0, 1, 2, 3, 4], y: [1, 0.1, NaN, 0.01, 0.001] }];

  test('straight on a logarithmic axis, broken where there is no number, escaped', () => {
    const svg = lineChart({ series, xLabel: 'step', yLabel: 'loss', logY: true });
    const path = / d="([^"]*)"/.exec(svg)![1]!;
    const points = [...path.matchAll(/([ML])(\S+) ([\d.]+)/g)].map(([, pen, x, y]) => [
      pen,
      Number(x),
      Number(y),
    ]);
    expect(points.map(([pen]) => pen).join('')).toBe('MLML');
    expect(points.map(([, x]) => x)).toEqual([76, 212, 484, 620]);
    expect(points.map(([, , y]) => y)).toEqual([40, 126.7, 213.3, 300]); // a decade each
    expect(svg).toContain('loss &lt;b&gt;');
    expect([...svg.matchAll(/text-anchor="end">([^<]*)</g)].map((match) => match[1])).toEqual([
      '0.001',
      '0.01',
      '0.1',
      '1',
    ]);
  });

  test('round numbers on a linear axis; a constant has a line too', () => {
    const svg = lineChart({ series: [{ name: 'a', x: [0, 950], y: [3, 3] }], xLabel: 'x', yLabel: 'y' });
    expect([...svg.matchAll(/text-anchor="middle">([\d,]+)</g)].map((match) => match[1])).toEqual([
      '0',
      '200',
      '400',
      '600',
      '800',
    ]);
    expect(svg).toContain('d="M76 170L620 170"');
  });

  test('shown as an image with description and values; as a table elsewhere', () => {
    const { sink, html } = notebook();
    showChart({ series, xLabel: 'step', yLabel: 'loss', alt: 'The loss falls', sink });
    expect(html[0]).toMatch(
      /^<figure role="group"><img alt="The loss falls" .*src="data:image\/svg\+xml;base64,.*<details><summary>Values/,
    );
    const { sink: other, text } = plain();
    showChart({ series, xLabel: 'step', yLabel: 'loss', alt: 'The loss falls', sink: other });
    expect(text.join('')).toMatch(/^\[The loss falls\]\nSome values of: loss\nseries +step +loss\n/);
  });

  test('what cannot be drawn is refused', () => {
    const chart =
      (x: number[], y: number[], logY = false) =>
      () =>
        lineChart({ series: [{ name: 'a', x, y }], xLabel: '', yLabel: '', logY });
    expect(chart([1, 2], [1])).toThrow(/"a" has 2 x values, but 1 y values/);
    expect(chart([1], [NaN])).toThrow(/no value that can be drawn/);
    expect(chart([1], [-1], true)).toThrow(/on a logarithmic axis/);
    expect(() => lineChart({ series: [], xLabel: '', yLabel: '' })).toThrow(/1 to 5 series, not 0/);
  });
});
