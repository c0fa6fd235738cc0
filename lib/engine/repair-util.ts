// tfjs-node 4.22 calls two helpers that Node 23 removed and that Node 22 warns about on stderr. `require`, because an
// `import` of a built-in module is a read-only view. Import this file before tfjs-node's.
const util: Record<string, unknown> = require('node:util');

util.isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
util.isArray = Array.isArray;

export {};
