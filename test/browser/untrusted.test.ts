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

test('the page of equations shows them, and leads to the cell that evaluates one', async () => {
  for (const name of ['equations.ipynb', '03-elbo.ipynb']) copyNotebook(lab, name, { outputs: true });
  const equations = await NotebookPage.open(browser, lab, 'equations.ipynb');
  const { page } = equations;
  await page.locator('.jp-RenderedMarkdown mjx-container, .jp-RenderedMarkdown .MathJax').first().waitFor();
  await equations.screenshot('equations', page.locator('.jp-RenderedMarkdown').nth(5));
  const link = page.getByRole('link', { name: '03-elbo, cell line-6', exact: true }).first();
  const cell = page.locator('.jp-Notebook:visible .jp-CodeCell').filter({ hasText: 'evaluate(6, line6' });
  await link.click();
  await cell.waitFor({ timeout: 60_000 });
  // A notebook that was not open is still growing when JupyterLab looks for the cell: the second click finds it.
  await page.locator('.lm-TabBar-tabLabel', { hasText: 'equations.ipynb' }).click();
  await link.click();
  const inView = async () => ((await cell.boundingBox())?.y ?? Infinity) < 1400;
  for (const deadline = Date.now() + 30_000; !(await inView()) && Date.now() < deadline;)
    await page.waitForTimeout(200);
  expect(await inView()).toBe(true);
  await equations.screenshot('equations-cell', cell);
  await equations.close();
});
