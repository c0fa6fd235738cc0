// The browser tests: apart from `npm test`, because they need Chromium and a running JupyterLab.
'use strict';

const { jest } = require('../../package.json');

module.exports = {
  ...jest,
  rootDir: '../..',
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 180_000,
};
