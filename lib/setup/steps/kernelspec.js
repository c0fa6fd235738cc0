// Step 6: tells our JupyterLab about the TypeScript kernel, with absolute paths, so that it works for a
// notebook in any folder and whatever PATH says.
'use strict';

const path = require('node:path');
const { readIfThere, writeAtomic } = require('../files');

/**
 * @param {import('../project').Project} project
 * @returns {import('./index').Step}
 */
function kernelspecStep({ root, venv, kernelspec }) {
  const text = (/** @type {object} */ value) => `${JSON.stringify(value, null, 2)}\n`;
  const files = {
    [path.join(kernelspec, 'kernel.json')]: text({
      argv: [process.execPath, path.join(root, 'lib', 'jupyter', 'kernel.js'), '{connection_file}'],
      display_name: 'TypeScript (tsdiffusion)',
      language: 'typescript',
      interrupt_mode: 'signal',
      env: { TSDIFFUSION_KERNEL: '1' },
    }),
    // JupyterLab asks on its first start whether to fetch news.
    [path.join(venv, 'share', 'jupyter', 'lab', 'settings', 'overrides.json')]: text({
      '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false },
    }),
  };
  return {
    name: 'Kernel',
    needs: () => ({ download: 0, disk: 0 }),
    isDone: () => Object.entries(files).every(([file, content]) => readIfThere(file) === content),
    run() {
      for (const [file, content] of Object.entries(files)) writeAtomic(file, content);
      return 'TypeScript (tsdiffusion) registered in .venv';
    },
  };
}

module.exports = { kernelspecStep };
