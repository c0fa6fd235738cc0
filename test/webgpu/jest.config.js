// The tests on WebGPU: apart from `npm test`, because they need a Vulkan driver or Chromium's SwiftShader.
'use strict';

const { jest } = require('../../package.json');

module.exports = {
  ...jest,
  rootDir: '../..',
  roots: ['<rootDir>/test/webgpu'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 600_000,
};
