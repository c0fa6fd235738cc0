import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vm from 'node:vm';
import { showChart } from '../../lib/viz';
import { notebookSink, plotlyOf } from '../helpers/sinks';

/** An element, as far as the script uses one. */
class FakeElement {
  style: Record<string, string> = {};
  attributes: Record<string, string> = {};
  /** What was put after it. */
  next: FakeElement[] = [];
  private home?: FakeElement[];
  constructor(readonly alt = '') {}
  setAttribute(name: string, value: string) {
    this.attributes[name] = value;
  }
  after(element: FakeElement) {
    this.next.push(element);
    element.home = this.next;
  }
  remove() {
    this.home?.splice(this.home.indexOf(this), 1);
  }
}

/** A page; with `config`, that of a Jupyter server. */
function createPage({ config }: { config?: string } = {}) {
  const tags: any[] = [];
  const window: any = {};
  const document: any = {
    body: { dataset: {} },
    head: { append: (tag: unknown) => tags.push(tag) },
    createElement: () => new FakeElement(),
    getElementById: (id: string) => (id === 'jupyter-config-data' && config ? { textContent: config } : null),
  };
  class ResizeObserver {
    observe() {}
  }
  return {
    tags,
    window,
    /** Runs the script of an output; gives its picture and what stands after it. */
    run(html: string) {
      const img = new FakeElement('Falls');
      document.currentScript = { closest: () => ({ querySelector: () => img }) };
      const [, script] = /<script>([^]*)<\/script>/.exec(html)!;
      vm.runInNewContext(script!, { window, document, ResizeObserver });
      return { img, after: img.next };
    },
  };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

function output(title = ''): string {
  const { sink, html } = notebookSink();
  showChart({
    series: [{ name: 'a', x: [0, 1], y: [1, 0] }],
    xLabel: 'x',
    yLabel: 'y',
    title,
    alt: 'Falls',
    sink,
  });
  return html[0]!;
}

describe('the script of a figure', () => {
  const config = '{"baseUrl":"/user/me/"}';

  test('loads one Plotly for all figures from the server’s own files, draws, and hides the picture', async () => {
    const page = createPage({ config });
    const first = page.run(output());
    const second = page.run(output());
    await settled();
    expect(page.tags.map(({ src }) => src)).toEqual(['/user/me/files/node_modules/plotly.js-dist/plotly.js']);
    expect(first.img.style.display).toBeUndefined(); // until it can be replaced
    page.window.Plotly = { newPlot: jest.fn(() => Promise.resolve()), Plots: { resize: jest.fn() } };
    page.tags[0].onload();
    await settled();
    for (const { img, after } of [first, second]) {
      expect(img.style.display).toBe('none');
      expect(after).toHaveLength(1);
      expect(after[0]!.attributes).toEqual({ role: 'img', 'aria-label': 'Falls' });
    }
    const [div, data] = page.window.Plotly.newPlot.mock.calls[0];
    expect(div).toBe(first.after[0]);
    expect(JSON.stringify(data)).toBe(JSON.stringify(plotlyOf(output()).data));
  });

  test('leaves the picture where there is no Jupyter server', async () => {
    const page = createPage();
    const { img, after } = page.run(output());
    await settled();
    expect([page.tags, after, img.style]).toEqual([[], [], {}]);
  });

  test('leaves the picture when Plotly cannot be loaded or fails, and tries again the next time', async () => {
    const page = createPage({ config });
    const lost = page.run(output());
    page.tags[0].onerror(new Error('404'));
    await settled();
    expect([lost.after, lost.img.style]).toEqual([[], {}]);
    const failing = page.run(output());
    expect(page.tags).toHaveLength(2);
    page.window.Plotly = { newPlot: () => Promise.reject(new Error('no')) };
    page.tags[1].onload();
    await settled();
    expect([failing.after, failing.img.style]).toEqual([[], {}]);
  });

  test('no text can end it', () => {
    const html = output('</script><script>alert(1)</script>');
    expect(html.match(/<\/script>/g)).toHaveLength(1);
    expect(plotlyOf(html).layout.title.text).toBe('</script><script>alert(1)</script>');
  });
});

test('the file that it asks for is installed', () => {
  const file = path.join(__dirname, '..', '..', 'node_modules', 'plotly.js-dist', 'plotly.js');
  expect(fs.existsSync(file)).toBe(true);
});
