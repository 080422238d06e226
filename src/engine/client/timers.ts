/**
 * What: the timer functions that engine.io-client exports for those who write transports for it.
 * Must not know: sessions; inside of Tautline time is the port Clock.
 */

/** Timers as they were when this module was loaded, before a test could replace them. */
const native = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

/** An object that was given timers. */
export interface WithTimers {
  setTimeoutFn?: typeof globalThis.setTimeout;
  clearTimeoutFn?: typeof globalThis.clearTimeout;
}

/** Gives an object timers: those of the moment, or with `useNativeTimers` the platform's own. */
export function installTimerFunctions(target: WithTimers, opts: { useNativeTimers?: boolean }): void {
  const { setTimeout, clearTimeout } = opts.useNativeTimers ? native : globalThis;
  target.setTimeoutFn = setTimeout.bind(globalThis) as typeof setTimeout;
  target.clearTimeoutFn = clearTimeout.bind(globalThis);
}

/** Calls back after the present turn, before any timer. @param _setTimeout is what engine.io-client falls back to. */
export function nextTick(callback: () => void, _setTimeout?: unknown): void {
  queueMicrotask(callback);
}
