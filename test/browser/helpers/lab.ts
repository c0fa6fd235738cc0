/** JupyterLab as `npm start` runs it, for one test file. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { notebookFolder, root } from '../../helpers/notebooks';

export interface Lab {
  /** The folder whose notebooks it serves to the tests; inside the project, not in git. */
  folder: string;
  /** An address that opens a notebook of that folder, and nothing else. */
  address(name: string): string;
  /** Ends the server and its kernels; removes the folder. */
  stop(): Promise<void>;
}

/** Settings of JupyterLab for the tests: all cells stay in the page, also those that are scrolled away. */
const settings = {
  '@jupyterlab/notebook-extension/tracker.jupyterlab-settings': {
    windowingMode: 'none',
    autoStartDefaultKernel: true,
  },
  '@jupyterlab/docmanager-extension/plugin.jupyterlab-settings': { autosave: false },
};

/**
 * Starts JupyterLab on a free port, with a user of its own: no settings of yours, and no notebook is trusted yet.
 * @throws Error with everything it printed, when it has not said in time where it runs
 */
export async function startLab(name: string): Promise<Lab> {
  const folder = notebookFolder(name);
  const user = path.join(folder, '.user');
  for (const [file, values] of Object.entries(settings)) {
    const full = path.join(user, 'settings', file);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, JSON.stringify(values));
  }
  const cli = path.join(root, 'lib', 'setup', 'cli.js');
  const child = spawn(
    process.execPath,
    [cli, 'start', '--no-browser', '--ContentsManager.allow_hidden=True'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        JUPYTER_DATA_DIR: path.join(user, 'data'), // among other things the list of trusted notebooks
        JUPYTERLAB_SETTINGS_DIR: path.join(user, 'settings'),
        JUPYTERLAB_WORKSPACES_DIR: path.join(user, 'workspaces'),
      },
    },
  );
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await closed;
    clearTimeout(patience);
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  const announced = new Promise<string>((resolve, reject) => {
    let output = '';
    const give = (reason: string) => reject(new Error(`JupyterLab ${reason}. It printed:\n${output}`));
    const patience = setTimeout(() => give('did not start within 90 seconds'), 90_000);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [address] = /http\S+\?token=\w+/.exec(output) ?? [];
        if (address) resolve(address);
      });
    void closed.then(() => give('ended'));
    void closed.finally(() => clearTimeout(patience));
  });
  try {
    const { origin, search } = new URL(await announced);
    const inside = path.relative(root, folder).split(path.sep).join('/');
    let opened = 0;
    // A workspace for each: JupyterLab would reopen what was open before.
    const address = (name: string) => `${origin}/lab/workspaces/${opened++}/tree/${inside}/${name}${search}`;
    return { folder, address, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
