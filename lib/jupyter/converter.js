// Repairs of tslab's converter (TypeScript cells to JavaScript), version 1.0.22.
'use strict';

/**
 * tslab rewrites a name of an earlier cell where it is used, but forgets it in `{ name }`: the cell compiles and fails with
 * "name is not defined". Written out as `{ name: name }` it works.
 * @param {any} ts  the TypeScript that tslab bundles
 * @param {string} source  a cell
 */
function expandShorthand(ts, source) {
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
  /** @type {[number, string][]} */
  const names = [];
  const visit = (/** @type {any} */ node) => {
    if (ts.isShorthandPropertyAssignment(node) && !node.objectAssignmentInitializer) {
      names.push([node.name.end, node.name.text]);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names
    .reverse()
    .reduce((text, [end, name]) => `${text.slice(0, end)}: ${name}${text.slice(end)}`, source);
}

/**
 * Puts the repairs in place, before tslab's kernel starts.
 * @param {any} ts  the TypeScript that tslab bundles
 * @param {any} converter  tslab's module `converter`
 */
function repairConverter(ts, converter) {
  // A package that changes under a running kernel (another notebook has compiled lib) makes tslab fail in the next cell.
  // Its old version stays loaded anyway.
  for (const watch of ['watchFile', 'watchDirectory']) {
    const original = ts.sys[watch];
    ts.sys[watch] = (/** @type {string} */ file, /** @type {unknown[]} */ ...rest) =>
      file.includes('node_modules') ? { close() {} } : original(file, ...rest);
  }

  const { createConverter } = converter;
  converter.createConverter = (/** @type {unknown} */ options) => {
    const made = createConverter(options);
    const { convert } = made;
    made.convert = (/** @type {string} */ previous, /** @type {string} */ source) =>
      convert(previous, expandShorthand(ts, source));
    return made;
  };
}

module.exports = { expandShorthand, repairConverter };
