// Where everything of one checkout lies. Every other file gets its paths from here.
'use strict';

const path = require('node:path');

/**
 * @typedef {object} Project
 * @property {string} root          the checkout
 * @property {string} modules       node_modules
 * @property {string} library       the compiled library, which notebooks import as `tsdiffusion`
 * @property {string} venv          the project's own Python environment
 * @property {string} python        its interpreter
 * @property {string} local         downloads, logs and the lock of this checkout (.runtime)
 * @property {string} runtime       the folder that holds runtime.json: TSDIFFUSION_RUNTIME or .runtime
 * @property {string} kernelspec    the folder of our Jupyter kernel's description
 */

/**
 * @param {string} [root]
 * @returns {Project}
 */
function openProject(root = path.resolve(__dirname, '..', '..')) {
  const inside = (/** @type {string[]} */ ...parts) => path.join(root, ...parts);
  const shared = process.env.TSDIFFUSION_RUNTIME;
  return {
    root,
    modules: inside('node_modules'),
    library: inside('node_modules', 'tsdiffusion'),
    venv: inside('.venv'),
    python: inside('.venv', 'bin', 'python'),
    local: inside('.runtime'),
    runtime: shared ? path.resolve(shared) : inside('.runtime'),
    kernelspec: inside('.venv', 'share', 'jupyter', 'kernels', 'tsdiffusion'),
  };
}

module.exports = { openProject };
