// Turns the output of a failed npm or pip into one sentence.
'use strict';

const { Failure } = require('../failure');

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|network|name resolution|Failed to establish|Connection (error|refused|broken)|ProxyError|Read timed out|Max retries|No matching distribution|SSLError|CERTIFICATE/i;
const DISK = /ENOSPC|No space left|Disk quota/i;

/**
 * @param {string} what   "npm could not install the Node packages"
 * @param {string} output
 * @param {string} log    where the whole output is
 */
function networkFailure(what, output, log) {
  if (DISK.test(output))
    return new Failure(`${what}: the disk is full; free some space and run the command again.`);
  if (NETWORK.test(output)) {
    return new Failure(
      `${what}: the package registry cannot be reached; check the network (and proxy settings) and run the command again.`,
    );
  }
  const last =
    output
      .trim()
      .split('\n')
      .filter((line) => /err/i.test(line))
      .at(-1) ?? output.trim().split('\n').at(-1);
  return new Failure(`${what}: ${last?.trim() || 'no reason given'} (whole output: ${log}).`);
}

module.exports = { networkFailure };
