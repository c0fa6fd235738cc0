// Keeps all output of a cell.
'use strict';

/**
 * tslab does not wait until one message is sent before it sends the next, and ZeroMQ refuses that after some
 * 500 messages of one synchronous loop: prints are lost, and with them the message that ends the cell. The
 * publisher that this puts in place lets messages wait for their turn.
 * @param {any} zeromq  the module, as tslab will load it
 */
function queueOutput(zeromq) {
  const { Publisher } = zeromq;

  // Kept here because sockets are sealed objects; a kernel has one publisher.
  let last = Promise.resolve();
  let waiting = 0;

  zeromq.Publisher = class extends Publisher {
    constructor(options = {}) {
      // Without a limit: beyond it ZeroMQ throws messages away.
      super({ sendHighWaterMark: 0, ...options });
    }

    /** @param {unknown} message */
    send(message) {
      if (waiting === 0) {
        try {
          return (last = super.send(message));
        } catch (error) {
          if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EBUSY') throw error;
        }
      }
      waiting += 1;
      return (last = last
        .catch(() => {})
        .then(() => super.send(message))
        .finally(() => (waiting -= 1)));
    }
  };
}

module.exports = { queueOutput };
