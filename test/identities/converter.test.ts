import { expect, test } from '@jest/globals';
import * as ts from 'typescript';
// The kernel is plain JavaScript: it runs before anything is compiled.
const { expandShorthand } = require('../../lib/jupyter/converter');

test.each([
  ['f({ a, b: 1, c });', 'f({ a: a, b: 1, c: c });'],
  ['const { a, b = 2 } = x;', 'const { a, b = 2 } = x;'],
  ['function f({ a, b = 2 }) { return { a }; }', 'function f({ a, b = 2 }) { return { a: a }; }'],
  ["// { a }\nconst s = '{ a }' + `${{ a }}`;", "// { a }\nconst s = '{ a }' + `${{ a: a }}`;"],
  ['({ a = 1 } = x);', '({ a = 1 } = x);'],
])('%j becomes %j', (cell, expanded) => {
  expect(expandShorthand(ts, cell)).toBe(expanded);
});
