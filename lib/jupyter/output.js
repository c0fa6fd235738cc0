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

  class QueuedPublisher extends Publisher {
    constructor(options = {}) {
      // Without a limit: beyond it ZeroMQ throws messages away.
      super({ sendHighWaterMark: 0, ...options });
      this.last = Promise.resolve();
      this.waiting = 0;
    }

    /** @param {unknown} message */
    send(message) {
      if (this.waiting === 0) {
        try {
          return (this.last = super.send(message));
        } catch (error) {
          if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EBUSY') throw error;
        }
      }
      this.waiting += 1;
      const sent = this.last.then(() => super.send(message)).finally(() => (this.waiting -= 1));
      return (this.last = sent);
    }
  }
  zeromq.Publisher = QueuedPublisher;
}

module.exports = { queueOutput };
