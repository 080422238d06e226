/**
 * What: time that passes only from one event to the next, for processes that sleep and die.
 * Must not know: what happens in the events.
 */
import type { Clock, Timer } from '../../src/base/port.ts';

/** Something that runs on a machine of its own: a page, a server's process, the network between them. */
export interface Actor {
  /** Until then it does nothing: a sleeping laptop, a blocked event loop. What comes meanwhile waits, in order. */
  awakeAtMs: number;
  /** Nothing of it happens any more. */
  isDead: boolean;
}

export const newActor = (): Actor => ({ awakeAtMs: 0, isDead: false });

interface Event {
  atMs: number;
  readonly order: number;
  readonly actor: Actor;
  run: (() => void) | null;
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** The events to come, the next one first (a binary heap). */
export class VirtualTime {
  nowMs = 0;
  readonly #heap: Event[] = [];
  readonly #turn: (() => void)[] = [];
  #order = 0;

  /** Lets something happen, to an actor, not before the delay has passed. */
  after(delayMs: number, actor: Actor, run: () => void): Timer {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, actor, run };
    this.#push(event);
    return {
      cancel: () => {
        event.run = null;
      },
    };
  }

  /** At the end of the present event: what `queueMicrotask` is while a history runs. */
  atEndOfTurn(run: () => void): void {
    this.#turn.push(run);
  }

  clockOf(actor: Actor): Clock {
    return {
      nowMs: () => this.nowMs,
      setTimer: (delayMs, callback) => this.after(delayMs, actor, callback),
    };
  }

  /** When the next event is; `Infinity` when there is none. */
  get nextMs(): number {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined) return Number.POSITIVE_INFINITY;
      if (next.run === null || next.actor.isDead) {
        this.#pop();
      } else if (next.actor.awakeAtMs > next.atMs) {
        this.#pop();
        next.atMs = next.actor.awakeAtMs;
        this.#push(next);
      } else {
        return next.atMs;
      }
    }
  }

  /** Runs the next event, with all that it puts off to the end of its turn. @returns whether there was one. */
  step(): boolean {
    if (this.nextMs === Number.POSITIVE_INFINITY) return false;
    const { atMs, run } = this.#pop();
    this.nowMs = atMs;
    try {
      run!();
    } finally {
      for (let i = 0; i < this.#turn.length; i++) this.#turn[i]!();
      this.#turn.length = 0;
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}
