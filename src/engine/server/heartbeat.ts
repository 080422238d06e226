/**
 * What: the pings of all sessions of a server, and the time limit for their pongs, on one timer.
 * Must not know: packets, transports; it says whose time has come.
 */
import type { Clock, Timer } from '../../base/port.ts';

/** What beats: its place in one of the two queues below is kept in the object itself, so it costs no allocation. */
export interface Beating {
  /** @internal When it is due, on the clock's scale. */
  beatDueMs: number;
  /** @internal Which queue it stands in. */
  beatQueue: BeatQueue | null;
  /** @internal */
  beatBefore: Beating | null;
  /** @internal */
  beatAfter: Beating | null;
  /** The interval since the last pong has passed: the peer is to be pinged. The wait for its pong has begun. */
  beatPing(): void;
  /** The peer has not answered within the timeout. It was taken out of the heartbeat. */
  beatMissed(): void;
}

/** Everyone in a queue waits equally long, so who comes last is due last, and the queue needs no sorting. */
class BeatQueue {
  readonly delayMs: number;
  first: Beating | null = null;
  #last: Beating | null = null;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  append(item: Beating, nowMs: number): void {
    // A whole number lies in the object itself, a fraction in memory of its own.
    item.beatDueMs = Math.ceil(nowMs + this.delayMs);
    item.beatQueue = this;
    item.beatBefore = this.#last;
    item.beatAfter = null;
    if (this.#last === null) this.first = item;
    else this.#last.beatAfter = item;
    this.#last = item;
  }

  remove(item: Beating): void {
    const { beatBefore: before, beatAfter: after } = item;
    if (before === null) this.first = after;
    else before.beatAfter = after;
    if (after === null) this.#last = before;
    else after.beatBefore = before;
    item.beatQueue = null;
    item.beatBefore = null;
    item.beatAfter = null;
  }
}

export type { BeatQueue };

/** Beats that are due within this time of each other share one wake-up, as a fraction of the shorter delay. */
const PRECISION = 1 / 50;
const COARSEST_MS = 200;

/**
 * Heartbeats driven by the server (Engine.IO protocol 4, "Heartbeat"): a ping `intervalMs` after the last pong, and
 * the pong within `timeoutMs`. Fifteen thousand idle clients cost one timer.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #waiting: BeatQueue;
  readonly #pinged: BeatQueue;
  readonly #precisionMs: number;
  #timer: Timer | null = null;
  #timerDueMs = 0;

  constructor(clock: Clock, intervalMs: number, timeoutMs: number) {
    this.#clock = clock;
    this.#waiting = new BeatQueue(intervalMs);
    this.#pinged = new BeatQueue(timeoutMs);
    this.#precisionMs = Math.min(Math.min(intervalMs, timeoutMs) * PRECISION, COARSEST_MS);
  }

  /** The peer is alive (it has just connected, or its pong came): the next ping is due after the interval. */
  alive(item: Beating): void {
    this.#move(item, this.#waiting, this.#clock.nowMs());
  }

  /** Takes it out. Harmless when it is not in. */
  stop(item: Beating): void {
    item.beatQueue?.remove(item);
    if (this.#waiting.first !== null || this.#pinged.first !== null) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #move(item: Beating, queue: BeatQueue, nowMs: number): void {
    item.beatQueue?.remove(item);
    queue.append(item, nowMs);
    if (this.#timer !== null && item.beatDueMs >= this.#timerDueMs) return;
    this.#setTimer(item.beatDueMs, nowMs);
  }

  #setTimer(dueMs: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = Math.max(dueMs, nowMs + this.#precisionMs);
    this.#timer = this.#clock.setTimer(this.#timerDueMs - nowMs, () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    try {
      for (let item = this.#waiting.first; item !== null && item.beatDueMs <= nowMs; ) {
        this.#move(item, this.#pinged, nowMs);
        item.beatPing();
        item = this.#waiting.first;
      }
      for (let item = this.#pinged.first; item !== null && item.beatDueMs <= nowMs; ) {
        this.#pinged.remove(item);
        item.beatMissed();
        item = this.#pinged.first;
      }
    } finally {
      // Whatever an application's handler throws, the others' hearts go on beating.
      this.#rearm(nowMs);
    }
  }

  #rearm(nowMs: number): void {
    const waiting = this.#waiting.first?.beatDueMs ?? Infinity;
    const pinged = this.#pinged.first?.beatDueMs ?? Infinity;
    const dueMs = Math.min(waiting, pinged);
    if (dueMs !== Infinity) this.#setTimer(dueMs, nowMs);
  }
}
