/** A flag that a long loop looks at once a step, so that the loop ends cleanly between two steps. */
export interface StopToken {
  readonly stopped: boolean;
}

/** Where our kernel (`lib/jupyter/interrupt.js`) says how to get the signal of the notebook cell that asks. */
const CELL_SIGNAL = Symbol.for('tsdiffusion.cellSignal');

/**
 * The button ■ (interrupt) of a notebook as a stop token, for loops that were given none. Each cell has a signal of its
 * own, also in what it awaits; outside of our kernel there is no such button, and `stopped` stays false.
 */
export const interruptToken: StopToken = {
  get stopped() {
    const kernel = globalThis as { [CELL_SIGNAL]?: () => AbortSignal | undefined };
    return kernel[CELL_SIGNAL]?.()?.aborted === true;
  },
};

/**
 * Makes a stop token: hand it to `train`, `ddpm` or `sample`, and call `stop()` (from a timer, a signal handler or
 * another notebook cell) to end the loop after the step that is running. The button ■ does the same for the cell that
 * runs the loop, and leaves the token as it is.
 *
 * JavaScript cannot interrupt its own thread; the loops therefore return to the event loop every step and look here.
 *
 * @param signal an `AbortSignal` to follow as well, for code that already has one
 */
export function createStopToken(signal?: { readonly aborted: boolean }): StopToken & { stop(): void } {
  let stopped = false;
  return {
    get stopped() {
      return stopped || signal?.aborted === true || interruptToken.stopped;
    },
    stop() {
      stopped = true;
    },
  };
}
