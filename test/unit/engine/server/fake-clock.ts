import type { Clock, Timer } from '../../../../src/base/port.ts';

/** Time that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  #timers: { dueMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  /** Moves on, firing timers in the order in which they are due. */
  advance(ms: number): void {
    const endMs = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#now = due.dueMs;
      this.#timers = this.#timers.filter((other) => other !== due);
      due.callback();
    }
    this.#now = endMs;
  }
}
