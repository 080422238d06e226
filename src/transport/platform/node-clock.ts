/**
 * What: the Clock of Node: monotonic milliseconds and timers that can keep a process alive.
 * Must not know: what is timed.
 */
import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../../base/port.ts';

/** Time as Node tells it. Timers keep the process alive, as those of `setTimeout` do. */
export const nodeClock: Clock = {
  nowMs: () => performance.now(),
  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
