/**
 * What: what waits for a client that reads slowly, within a bound, and what happens at the bound.
 * Must not know: responses, or what the events say.
 */
import type { EncodedEvent } from './encoded-event.ts';

/**
 * What happens to events for a client that reads more slowly than they are sent.
 * - `close`: at the bound the connection is cut. The client comes back, and a history gives it what it missed.
 * - `dropNewest`: at the bound what comes is dropped.
 * - `dropOldest`: at the bound what has waited longest is dropped.
 * - `keepLatest`: of each event name only the latest waits; beyond the bound the oldest is dropped.
 */
export type OverflowPolicy = 'close' | 'dropNewest' | 'dropOldest' | 'keepLatest';

/** Waiting events, the oldest first. */
export class SendBuffer {
  readonly #policy: OverflowPolicy;
  readonly #limitBytes: number;
  /** By event name with `keepLatest`, by number otherwise; a Map keeps the order in which they came. */
  readonly #waiting = new Map<string | number, EncodedEvent>();
  #next = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(policy: OverflowPolicy, limitBytes: number) {
    this.#policy = policy;
    this.#limitBytes = limitBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many events were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Takes an event. @returns false: it does not fit, and the policy is to close. */
  push(event: EncodedEvent): boolean {
    const size = event.bytes.length;
    const key = this.#policy === 'keepLatest' ? event.name : this.#next++;
    const older = this.#waiting.get(key);
    if (older !== undefined) this.#drop(key, older);
    if (this.#bytes + size > this.#limitBytes) {
      if (this.#policy === 'close') return false;
      if (this.#policy === 'dropNewest' || size > this.#limitBytes) {
        this.#dropped++;
        return true;
      }
      for (const [oldest, waiting] of this.#waiting) {
        this.#drop(oldest, waiting);
        if (this.#bytes + size <= this.#limitBytes) break;
      }
    }
    this.#waiting.set(key, event);
    this.#bytes += size;
    return true;
  }

  /** Gives back the oldest, or null. */
  shift(): EncodedEvent | null {
    for (const [key, event] of this.#waiting) {
      this.#remove(key, event);
      return event;
    }
    return null;
  }

  clear(): void {
    this.#waiting.clear();
    this.#bytes = 0;
  }

  #drop(key: string | number, event: EncodedEvent): void {
    this.#remove(key, event);
    this.#dropped++;
  }

  #remove(key: string | number, event: EncodedEvent): void {
    this.#waiting.delete(key);
    this.#bytes -= event.bytes.length;
  }
}
