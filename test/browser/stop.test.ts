/** The button ■ and the stop token, on a training cell that would run for hours. */
import * as path from 'node:path';
import type { Browser } from 'playwright-core';
import { writeNotebook } from '../helpers/notebooks';
import { openChromium } from './helpers/chromium';
import { startLab, type Lab } from './helpers/lab';
import { NotebookPage } from './helpers/page';

const imports = `
import { createProgress, createStopToken, loadMnist, presets, startRun, tf, train } from 'tsdiffusion';`;
const setUp = `
const stop = createStopToken();
const { training, ...preset } = presets.small;
const run = startRun({
  preset: { ...preset, training: { ...training, batchSize: 4 } },
  dataset: loadMnist().train, seed: 0, steps: 1e6,
});
/** Trains with a progress bar, as the notebooks do, and returns how many steps it did. */
async function trainOn() {
  const progress = createProgress({ total: run.options.untilStep, label: 'training' });
  let steps = 0;
  try {
    for await (const { step } of train({ ...run.options, stop })) progress.update((steps = step));
  } finally {
    progress.end();
  }
  return steps;
}`;
const cells = {
  imports,
  setUp,
  training: "const steps = await trainOn();\nconsole.log('trained', steps > 0);",
  below: "console.log('the cell below');",
  // What the interrupted cell declared is there, and nothing trains behind it.
  after: `
const atOnce = run.options.state.step;
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(1 + 1, steps === atOnce, run.options.state.step === atOnce);`,
  background: 'const goesOn = trainOn();',
  stopping: `
await new Promise((resolve) => setTimeout(resolve, 500));
stop.stop();
console.log((await goesOn) > steps);`,
  forever: 'await new Promise(() => {});',
};
type Name = keyof typeof cells;
const ids = Object.fromEntries(Object.keys(cells).map((name, i) => [name, `cell-${i}`])) as Record<
  Name,
  string
>;

let lab: Lab;
let browser: Browser;
let notebook: NotebookPage;
beforeAll(async () => {
  browser = await openChromium();
  lab = await startLab('stop');
  writeNotebook(path.join(lab.folder, 'stop.ipynb'), Object.values(cells));
  notebook = await NotebookPage.open(browser, lab, 'stop.ipynb');
  for (const name of ['imports', 'setUp'] as const) await run(name);
});
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
});

/** Runs a cell to its end and returns what it shows. */
async function run(name: Name): Promise<string> {
  await notebook.runCell(ids[name]);
  await notebook.ended(ids[name]);
  return notebook.output(ids[name]);
}

test('the button ends a training cell between two steps, and the kernel goes on', async () => {
  const cell = notebook.cell(ids.training);
  await notebook.runCell(ids.training);
  await notebook.runCell(ids.below);
  await cell.getByText(/training: 0 %, [1-9]\d* of 1,000,000/).waitFor();
  await notebook.screenshot('stop-running', cell);
  await notebook.press('notebook:interrupt-kernel');
  await notebook.ended(ids.training, 10);
  await notebook.screenshot('stop-stopped', cell);
  const output = await notebook.output(ids.training);
  expect(output).toMatch(/training: 0 %, [\d,]+ of 1,000,000, stopped after/);
  expect(output).toContain('trained true');
  expect(output).toContain('Interrupted: what this cell made may be incomplete.');
  expect(await run('after')).toBe('2 true true\n');
  expect(await notebook.output(ids.below)).toBe(''); // it waited for the interrupted cell
});

test('a stop token ends training that a cell has left in the background', async () => {
  await run('background');
  expect(await run('stopping')).toBe('true\n');
});

test('the button also ends a cell that waits for something else, without its help', async () => {
  await notebook.runCell(ids.forever);
  await notebook.page.waitForTimeout(500);
  await notebook.press('notebook:interrupt-kernel');
  await notebook.ended(ids.forever, 10);
  expect(await notebook.output(ids.forever)).toContain('Interrupted asynchronously');
});
