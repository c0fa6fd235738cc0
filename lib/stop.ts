/** A flag that a long loop looks at once a step, so that the loop ends cleanly between two steps. */
export interface StopToken {
  readonly stopped: boolean;
}

/**
 * Makes a stop token: hand it to `train`, `ddpm` or `sample`, and call `stop()` (from a timer, a signal handler or
 * another notebook cell) to end the loop after the step that is running.
 *
 * JavaScript cannot interrupt its own thread; the loops therefore return to the event loop every step and look here.
 *
 * @param signal an `AbortSignal` to follow as well, for code that already has one
 */
export function createStopToken(signal?: { readonly aborted: boolean }): StopToken & { stop(): void } {
  let stopped = false;
  return {
    get stopped() {
      return stopped || signal?.aborted === true;
    },
    stop() {
      stopped = true;
    },
  };
}
