// npm start: JupyterLab of our own environment, opened on the first notebook.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { runInForeground, pythonEnvironment } = require('../children');
const { readJson } = require('../files');

const FIRST_NOTEBOOK = 'notebooks/00-start-here.ipynb';

/** @type {import('./index').Command['run']} */
async function start(project, args) {
  const runtime = path.join(project.local, 'jupyter');
  // JupyterLab prints no address when the token is given to it: we print one plain line instead.
  const token = process.env.JUPYTER_TOKEN ?? crypto.randomBytes(24).toString('hex');
  const env = pythonEnvironment({
    JUPYTER_TOKEN: token,
    JUPYTER_RUNTIME_DIR: runtime,
    // The user's own Jupyter may be of another version: its configuration stays out, its look stays in.
    JUPYTER_PREFER_ENV_PATH: '1',
    JUPYTER_CONFIG_DIR: path.join(project.venv, 'etc', 'tsdiffusion'),
    JUPYTERLAB_SETTINGS_DIR:
      process.env.JUPYTERLAB_SETTINGS_DIR ?? path.join(os.homedir(), '.jupyter', 'lab', 'user-settings'),
  });
  const first = fs.existsSync(path.join(project.root, FIRST_NOTEBOOK)) ? `/tree/${FIRST_NOTEBOOK}` : '';
  const options = [
    `--ServerApp.root_dir=${project.root}`,
    `--LabApp.default_url=/lab${first}`,
    '--Application.log_level=ERROR',
    '--ServerApp.answer_yes=True',
    '--MultiKernelManager.default_kernel_name=tsdiffusion',
    '--KernelSpecManager.allowed_kernelspecs=tsdiffusion',
    '--KernelSpecManager.ensure_native_kernel=False',
  ];
  if (process.getuid?.() === 0) options.push('--allow-root');
  console.log('Starting JupyterLab …');
  return runInForeground(project.python, ['-m', 'jupyterlab', ...options, ...args], {
    cwd: project.root,
    env,
    onStart: (child) => void announce(path.join(runtime, `jpserver-${child.pid}.json`), first, child),
  });
}

/**
 * Prints the address as soon as the server has written down where it listens.
 * @param {string} file
 * @param {string} first
 * @param {import('node:child_process').ChildProcess} child
 */
async function announce(file, first, child) {
  while (child.exitCode === null && child.signalCode === null) {
    const server = readJson(file);
    if (server) {
      const query = server.token ? `?token=${server.token}` : '';
      console.log(`JupyterLab runs at\n\n    ${server.url}lab${first}${query}\n\nCtrl-C stops it.`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100).unref());
  }
}

module.exports = { start };
