/** The course's notebooks as they are shipped, in a JupyterLab that has run none of them and so trusts none. */
import type { Browser } from 'playwright-core';
import { openChromium } from './helpers/chromium';
import { startLab, type Lab } from './helpers/lab';
import { NotebookPage, broken, copyNotebook } from './helpers/page';

let lab: Lab;
let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
  lab = await startLab('untrusted');
});
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
});

test.each(['00-start-here.ipynb', '01-forward-process.ipynb'])(
  '%s shows its pictures and charts',
  async (name) => {
    copyNotebook(lab, name, { outputs: true });
    const notebook = await NotebookPage.open(browser, lab, name);
    expect(await notebook.trusted()).toBe(false);
    const pictures = await notebook.pictures();
    expect(pictures.length).toBeGreaterThan(5);
    expect(broken(pictures)).toEqual([]);
    expect(pictures.filter(({ visible }) => !visible)).toEqual([]);
    expect(await notebook.charts()).toEqual([]);
    await notebook.screenshot(
      `untrusted-${name.slice(0, 2)}`,
      notebook.page.locator('.jp-Notebook img').last(),
    );
    await notebook.close();
  },
);
