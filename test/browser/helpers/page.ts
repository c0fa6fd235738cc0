/** A notebook in JupyterLab, as a reader handles it: through the page. */
/// <reference lib="dom" />
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { root } from '../../helpers/notebooks';
import type { Lab } from './lab';

/** For humans who want to see what the tests saw; not in git. */
const SCREENSHOTS = path.join(root, 'test', '.tmp', 'screenshots');
const CHART = '.jp-OutputArea-output .js-plotly-plot';
const STDERR = '[data-mime-type="application/vnd.jupyter.stderr"]';

interface StoredCell {
  id: string;
  cell_type: string;
  source: string | string[];
}

/** An `img` of an output. */
export interface Picture {
  alt: string;
  src: string;
  /** 0 if the browser could not decode it. */
  naturalWidth: number;
  /** Whether it takes room on the page. */
  visible: boolean;
}

/** Those that have no description, or that the browser could not decode. */
export function broken(pictures: Picture[]): Picture[] {
  return pictures.filter(({ alt, naturalWidth }) => alt.trim() === '' || naturalWidth === 0);
}

/** Puts a copy of a notebook of `notebooks/` where the lab serves it; `outputs: false` empties it. */
export function copyNotebook(lab: Lab, name: string, { outputs }: { outputs: boolean }): void {
  const notebook = JSON.parse(fs.readFileSync(path.join(root, 'notebooks', name), 'utf8'));
  for (const cell of notebook.cells as StoredCell[])
    if (!outputs && cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
  fs.writeFileSync(path.join(lab.folder, name), JSON.stringify(notebook));
}

/** Waits until a kernel has told the page about itself. */
function kernelAnswer(page: Page, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`The kernel has not answered within ${seconds} seconds.`));
    const patience = setTimeout(late, 1000 * seconds);
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (!payload.includes('kernel_info_reply')) return;
        clearTimeout(patience);
        resolve();
      }),
    );
  });
}

export class NotebookPage {
  /** Addresses outside of the lab that the page asked for. */
  readonly foreign: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly cells: StoredCell[],
  ) {}

  /** Opens a notebook of the lab's folder and waits until its kernel is idle. */
  static async open(browser: Browser, lab: Lab, name: string): Promise<NotebookPage> {
    const { cells } = JSON.parse(fs.readFileSync(path.join(lab.folder, name), 'utf8'));
    const page = await browser.newPage({ viewport: { width: 1300, height: 1400 } });
    const notebook = new NotebookPage(page, cells);
    const address = lab.address(name);
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && host !== new URL(address).host)
        notebook.foreign.push(request.url());
    });
    const answered = kernelAnswer(page, 90);
    answered.catch(() => {}); // of no interest if the page does not even open
    await page.goto(address);
    await page
      .locator('.jp-Notebook .jp-Cell')
      .nth(cells.length - 1)
      .waitFor({ timeout: 60_000 });
    await answered; // the page says idle even before: what one runs then is lost
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor({ timeout: 60_000 });
    return notebook;
  }

  /** The cell with this id in the file. */
  cell(id: string): Locator {
    const index = this.cells.findIndex((cell) => cell.id === id);
    if (index < 0) throw new Error(`No cell '${id}' among ${this.cells.map((cell) => cell.id).join(', ')}.`);
    return this.page.locator('.jp-Notebook .jp-Cell').nth(index);
  }

  /** Chooses an entry of the menu Run. */
  async run(entry: 'Run All Cells' | 'Run Selected Cell and All Below'): Promise<void> {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: /^Run$/ }).click();
    await this.page.locator('.lm-Menu-itemLabel', { hasText: new RegExp(`^${entry}$`) }).click();
  }

  /** Puts the cursor into a code cell. */
  async select(id: string): Promise<void> {
    await this.cell(id).locator('.cm-content').click();
  }

  /** Runs one cell with its keyboard shortcut, without waiting for its end. */
  async runCell(id: string): Promise<void> {
    await this.select(id);
    await this.page.keyboard.press('Control+Enter');
  }

  /** Writes a cell anew, with `from` replaced by `to`, as a reader does who turns a knob. */
  async edit(id: string, from: string | RegExp, to: string): Promise<void> {
    const source = [this.cells.find((cell) => cell.id === id)?.source ?? []].flat().join('');
    const changed = source.replace(from, to);
    if (changed === source) throw new Error(`Cell '${id}' has no ${from}:\n${source}`);
    await this.select(id);
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(changed);
  }

  /** The number in front of a code cell; NaN while it waits or runs, or if it never ran. */
  async count(id: string): Promise<number> {
    const prompt = await this.cell(id).locator('.jp-InputPrompt').textContent();
    return Number(/\[(\d+)\]/.exec(prompt ?? '')?.[1] ?? NaN);
  }

  /** How many runs of cells this kernel has counted. */
  async highestCount(): Promise<number> {
    const ids = this.cells.flatMap((cell) => (cell.cell_type === 'code' ? [cell.id] : []));
    return Math.max(0, ...(await Promise.all(ids.map((id) => this.count(id)))).filter((count) => count > 0));
  }

  /** The last interactive chart. */
  lastChart(): Locator {
    return this.page.locator(CHART).last();
  }

  /** Waits until a cell that was never run before has ended, well or not. */
  async ended(id: string, seconds = 60): Promise<void> {
    const prompt = this.cell(id).locator('.jp-InputPrompt', { hasText: /\[\d+\]/ });
    await prompt.waitFor({ timeout: 1000 * seconds });
  }

  /** What cells wrote to the error stream, which is where failures of this kernel go. */
  async errors(): Promise<string[]> {
    return this.page.locator(`.jp-Notebook ${STDERR}`).allTextContents();
  }

  /**
   * Waits until the code cells from `first` on (all by default) have run, each with a number above `after`.
   * @throws Error with what the cells printed, when one fails
   */
  async finished({
    first,
    after = 0,
    seconds = 120,
  }: { first?: string; after?: number; seconds?: number } = {}) {
    const from = first === undefined ? 0 : this.cells.findIndex((cell) => cell.id === first);
    const ids = this.cells.slice(from).flatMap((cell) => (cell.cell_type === 'code' ? [cell.id] : []));
    for (const deadline = Date.now() + 1000 * seconds; ; await this.page.waitForTimeout(100)) {
      const errors = await this.errors();
      if (errors.length > 0) throw new Error(`A cell failed: ${errors.join('\n')}`);
      const counts = await Promise.all(ids.map((id) => this.count(id)));
      if (counts.every((count) => count > after)) return;
      if (Date.now() > deadline) throw new Error(`Not finished in ${seconds} s: ${ids} are at ${counts}.`);
    }
  }

  /** What a cell shows, as text. */
  async output(id: string): Promise<string> {
    return (await this.cell(id).locator('.jp-OutputArea-output').allTextContents()).join('');
  }

  /** The pictures in the outputs of a cell, or of the notebook, decoded. */
  async pictures(id?: string): Promise<Picture[]> {
    const where = id === undefined ? this.page.locator('.jp-Notebook') : this.cell(id);
    return where.locator('.jp-OutputArea-output img').evaluateAll((images) =>
      Promise.all(
        (images as HTMLImageElement[]).map(async (image) => {
          await image.decode().catch(() => {});
          const { alt, src, naturalWidth } = image;
          return { alt, src, naturalWidth, visible: image.checkVisibility() && image.offsetWidth > 0 };
        }),
      ),
    );
  }

  /** The interactive charts of the notebook: for each the numbers that it draws, as text. */
  async charts(): Promise<string[]> {
    return this.page
      .locator(CHART)
      .evaluateAll((plots) =>
        plots.map((plot) => JSON.stringify((plot as unknown as { data: unknown }).data)),
      );
  }

  /** Whether JupyterLab trusts any output: only then scripts in it may run. */
  async trusted(): Promise<boolean> {
    return (await this.page.locator('.jp-OutputArea-output.jp-mod-trusted').count()) > 0;
  }

  /** Keeps a picture of the page with `target` in view. */
  async screenshot(name: string, target: Locator): Promise<void> {
    await target.scrollIntoViewIfNeeded();
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  }

  /** Presses a button of the notebook's toolbar. */
  async press(command: 'notebook:interrupt-kernel'): Promise<void> {
    await this.page.locator(`jp-button[data-command="${command}"]`).click();
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
