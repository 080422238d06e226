/**
 * What: the port Clock over the timers that every platform has as globals.
 * Must not know: Node, or what is timed.
 */
import type { Clock } from '../../base/port.ts';

const native = { setTimeout, clearTimeout };

/**
 * Makes a clock.
 *
 * `nowMs` is the wall clock: a monotonic one stands still in some browsers while the machine sleeps, and a
 * client must notice that it has slept.
 * @param isNative uses the timers as they were when this module was loaded, even if a test has replaced them since.
 * @param isUnref lets the process end while timers are waiting (Node; elsewhere without effect).
 */
export function createWebClock(isNative = false, isUnref = false): Clock {
  return {
    nowMs: () => Date.now(),
    setTimer(delayMs, callback) {
      const { setTimeout, clearTimeout } = isNative ? native : globalThis;
      const timer: unknown = setTimeout(callback, delayMs);
      if (isUnref) (timer as { unref?(): void }).unref?.();
      return { cancel: () => clearTimeout(timer as number) };
    },
  };
}
