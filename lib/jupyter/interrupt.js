// The button ■ (interrupt) for cells with `await`.
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

/** Where lib/stop.ts finds the signal of the cell that it is called from. */
const CELL_SIGNAL = Symbol.for('tsdiffusion.cellSignal');
/** How long a cell may take to end by itself, in milliseconds; the step of a loop has to fit. */
const PATIENCE = 3000;

/**
 * tslab stops waiting for an interrupted cell, but the cell goes on behind it: a training loop would compute, and change
 * its network, while the next cells run. Here every cell has an abort signal, which the loops of the library look at:
 * ■ lets them end after the step that they are at, the cell shows what it has, keeps its names, and counts as failed, so
 * that cells which wait for their turn do not run. Other cells are left to tslab after `PATIENCE`.
 * @param {any} executorModule  tslab's module `executor`
 */
function stopLoopsOnInterrupt(executorModule) {
  /** @type {AsyncLocalStorage<AbortSignal>} */
  const signals = new AsyncLocalStorage();
  Object.assign(globalThis, { [CELL_SIGNAL]: () => signals.getStore() });

  // Shared by all cells since the last interrupt: one may have left a loop running without waiting for it.
  let interruption = new AbortController();
  const { createExecutor } = executorModule;
  executorModule.createExecutor = (/** @type {unknown[]} */ ...args) => {
    const executor = createExecutor(...args);
    const { execute, interrupt } = executor;
    /** @type {AbortSignal | undefined} */
    let running;
    /** @type {NodeJS.Timeout | undefined} */
    let patience;

    executor.execute = async (/** @type {string} */ source) => {
      const { signal } = interruption;
      running = signal;
      try {
        const ok = await signals.run(signal, () => execute(source));
        if (ok && signal.aborted) console.error('Interrupted: what this cell made may be incomplete.');
        return ok && !signal.aborted;
      } finally {
        running = undefined;
        clearTimeout(patience);
      }
    };
    // Called by tslab on SIGINT, which is what JupyterLab sends.
    executor.interrupt = () => {
      clearTimeout(patience);
      if (running?.aborted) return interrupt(); // pressed again
      interruption.abort();
      interruption = new AbortController();
      if (running) patience = setTimeout(interrupt, PATIENCE);
    };
    return executor;
  };
}

module.exports = { stopLoopsOnInterrupt };
