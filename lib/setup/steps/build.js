// Step 5: compiles lib into node_modules/tsdiffusion, where notebooks find it by name.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Failure } = require('../failure');
const { readIfThere, readJson, remove, writeAtomic, writeJson } = require('../files');

/**
 * @param {import('../project').Project} project
 * @returns {import('./index').Step & { errors(): string }}
 */
function buildStep(project) {
  const stampFile = path.join(project.library, '.stamp');
  // Errors are part of the stamp: an unchanged library with errors is not compiled again to learn the same.
  const stamp = () => readJson(stampFile);
  const errors = () => stamp()?.errors ?? '';

  return {
    name: 'Library',
    needs: () => ({ download: 0, disk: 5e6 }),
    isDone: () => stamp()?.sources === listSources(project.root) && errors() === '',
    run(report) {
      const sources = listSources(project.root);
      if (stamp()?.sources !== sources) {
        report.update('compiling lib');
        writeJson(stampFile, { sources, errors: compile(project) });
      }
      if (errors())
        throw new Failure(`${errors()}\n\nlib has type errors: correct them and run the command again.`);
      return 'compiled';
    },
    errors,
  };
}

/**
 * Path, time and size of every file that the result depends on, as one text.
 * @param {string} root
 */
function listSources(root) {
  const files = [path.join(root, 'tsconfig.json'), path.join(root, 'package.json'), ...typescriptFiles(root)];
  return files
    .map((file) => {
      const { mtimeMs, size } = fs.statSync(file);
      return `${path.relative(root, file)} ${mtimeMs} ${size}`;
    })
    .join('\n');
}

/** @param {string} root */
function typescriptFiles(root) {
  const lib = path.join(root, 'lib');
  return fs
    .readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => path.join(lib, file));
}

/**
 * Compiles and returns the errors as text ('' if there are none). JavaScript is written even then, so that
 * a notebook can go on with the parts that work.
 * @param {import('../project').Project} project
 */
function compile({ root, modules, library }) {
  /** @type {typeof import('typescript')} */
  const ts = require(path.join(modules, 'typescript'));
  const config = path.join(root, 'tsconfig.json');
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} };
  const parsed = ts.getParsedCommandLineOfConfigFile(config, {}, host);
  if (!parsed) throw new Failure(`${config} cannot be read: restore it and run the command again.`);

  const outputs = new Set(
    parsed.fileNames
      .flatMap((file) => ts.getOutputFileNames(parsed, file, false))
      .map((file) => path.normalize(file)),
  );
  const compiled = [...outputs].filter((file) => /\.(js|d\.ts)$/.test(file));
  // The compiler's memory of an earlier run would skip files whose output has been deleted.
  if (compiled.some((file) => !fs.existsSync(file))) remove(path.join(library, '.tsbuildinfo'));

  const program = ts.createIncrementalProgram({
    rootNames: parsed.fileNames,
    options: parsed.options,
    configFileParsingDiagnostics: ts.getConfigFileParsingDiagnostics(parsed),
  });
  const diagnostics = [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSemanticDiagnostics(),
  ];
  program.emit(undefined, (file, text) => {
    // An unchanged file is left alone, a changed one replaced in one go: a running kernel may be reading it.
    if (readIfThere(file) !== text) writeAtomic(file, text);
  });

  const { version } = readJson(path.join(root, 'package.json'));
  writeJson(path.join(library, 'package.json'), {
    name: 'tsdiffusion',
    version,
    main: 'index.js',
    types: 'index.d.ts',
  });
  removeOthers(library, outputs);
  return ts
    .formatDiagnostics(diagnostics, {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
    })
    .trim();
}

/**
 * Removes compiled files whose source is gone.
 * @param {string} library
 * @param {Set<string>} outputs
 */
function removeOthers(library, outputs) {
  for (const name of fs.readdirSync(library, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(library, name);
    if (/\.(js|d\.ts)$/.test(name) && !outputs.has(file)) remove(file);
  }
}

module.exports = { buildStep };
