/** The course's notebooks in JupyterLab, run and changed by a reader. */
import type { Browser } from 'playwright-core';
import { openChromium } from './helpers/chromium';
import { startLab, type Lab } from './helpers/lab';
import { NotebookPage, broken, copyNotebook } from './helpers/page';

const START = '00-start-here.ipynb';
const FORWARD = '01-forward-process.ipynb';

let lab: Lab;
let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
  lab = await startLab('notebooks');
});
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
});

test('00 runs from an empty notebook to its end, and every picture is one', async () => {
  copyNotebook(lab, START, { outputs: false });
  const notebook = await NotebookPage.open(browser, lab, START);
  expect(await notebook.pictures()).toEqual([]);
  await notebook.run('Run All Cells');
  await notebook.finished();
  const pictures = await notebook.pictures();
  expect(pictures.length).toBeGreaterThan(10);
  expect(broken(pictures)).toEqual([]);
  expect(await notebook.output('first')).toMatch(/\d+ pictures in [\d.]+ s/);
  await notebook.screenshot('start-first-samples', notebook.cell('first'));
  expect(notebook.foreign).toEqual([]);
  await notebook.close();
});

describe('01', () => {
  let notebook: NotebookPage;
  beforeAll(async () => {
    copyNotebook(lab, FORWARD, { outputs: false });
    notebook = await NotebookPage.open(browser, lab, FORWARD);
    await notebook.run('Run All Cells');
    await notebook.finished();
  });
  afterAll(() => notebook?.close());

  test('runs to its end, with pictures and interactive charts from files of the server', async () => {
    const pictures = await notebook.pictures();
    expect(pictures.length).toBeGreaterThan(5);
    expect(broken(pictures)).toEqual([]);
    // Each chart lies over a static picture, which is hidden then.
    const charts = await notebook.charts();
    expect(charts.length).toBeGreaterThan(0);
    expect(pictures.filter(({ visible }) => !visible)).toHaveLength(charts.length);
    expect(notebook.foreign).toEqual([]);
    await notebook.screenshot('forward-linear', notebook.lastChart());
  });

  test('shows other plots after its schedule knob was changed', async () => {
    const [pictures, charts] = [await notebook.pictures(), await notebook.charts()];
    const after = await notebook.highestCount();
    await notebook.edit('knobs', "'linear'", "'cosine'");
    await notebook.run('Run Selected Cell and All Below');
    await notebook.finished({ first: 'knobs', after });
    await notebook.screenshot('forward-cosine', notebook.lastChart());
    const changed = await notebook.pictures();
    expect(broken(changed)).toEqual([]);
    const sources = new Set(pictures.map(({ src }) => src));
    expect(changed.filter(({ src }) => !sources.has(src)).length).toBeGreaterThan(2);
    expect(await notebook.charts()).not.toEqual(charts);
  });
});
