// The process behind a notebook: brings the compiled library up to date, then becomes tslab's kernel.
//   node kernel.js <connection file>
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { openProject } = require('../setup/project');
const { buildStep } = require('../setup/steps/build');
const { repairConverter } = require('./converter');
const { stopLoopsOnInterrupt } = require('./interrupt');
const { queueOutput } = require('./output');

const project = openProject();

/** Compiles lib if it has changed; type errors are shown by the import in the notebook (lib/notice.ts). */
function refreshLibrary() {
  const build = buildStep(project);
  if (build.isDone()) return;
  // In a process of its own: the compiler would leave its memory in this one.
  const cli = path.join(project.root, 'lib', 'setup', 'cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'compile'], { encoding: 'utf8' });
  if (status !== 0) process.env.TSDIFFUSION_BUILD_ERRORS = build.errors() || `${stdout}${stderr}`.trim();
}

/** Notebooks find packages in the node_modules above their folder: one outside the project is run from within. */
function enterProject() {
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'node_modules', 'tsdiffusion'))) return;
    if (folder === path.dirname(folder)) break;
  }
  const notebooks = path.join(project.root, 'notebooks');
  process.chdir(fs.existsSync(notebooks) ? notebooks : project.root);
}

/** Ends with the program that started the kernel, even if that was killed. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 2000).unref();
}

refreshLibrary();
enterProject();
endWithParent();
queueOutput(require(path.join(project.modules, 'zeromq')));
repairConverter(
  require(path.join(project.modules, '@tslab', 'typescript-for-tslab')),
  require(path.join(project.modules, 'tslab', 'dist', 'converter.js')),
);
stopLoopsOnInterrupt(require(path.join(project.modules, 'tslab', 'dist', 'executor.js')));
// Deprecation warnings of packages would appear in red under the reader's cells.
Object.assign(process, { noDeprecation: true });
const tslab = require(path.join(project.modules, 'tslab', 'dist', 'main.js'));
const { version } = require(path.join(project.modules, 'tslab', 'package.json'));
tslab.startKernel({
  configPath: process.argv[2],
  enableFindLocal: false,
  jsKernel: false,
  globalVersion: version,
});
