/**
 * What: the latest events of a source, numbered, so that a client that was away can be given what it missed.
 * Must not know: streams, or who was away.
 */
import { Buffer } from 'node:buffer';
import { UsageError } from '../base/errors.ts';
import type { Clock } from '../base/port.ts';
import { nodeClock } from '../transport/platform/node-clock.ts';
import { nodeRandom } from '../transport/platform/node-random.ts';
import type { EventStreamMessage } from '../wire/sse/format.ts';
import { type EncodedEvent, encodeEvent } from './encoded-event.ts';

/** How much an {@link EventHistory} keeps. */
export interface EventHistoryOptions {
  /** Most events kept. Default 1000. */
  limitEvents?: number;
  /** Most bytes kept, as on the wire. Default 4 MiB. */
  limitBytes?: number;
  /** Milliseconds for which an event is kept. Default 300000: who was away longer is better off reloading. */
  limitAgeMs?: number;
  /**
   * Names this history in its ids. Default: random, so that ids which an earlier process gave are not taken for
   * those of this one. No line breaks.
   */
  epoch?: string;
  /** Time; for tests. */
  clock?: Clock;
}

/** What a client that was away has missed. */
export interface MissedEvents {
  /** In order. */
  readonly events: readonly EncodedEvent[];
  /** False: more was missed than is kept, or the id is unknown; `events` is empty. */
  readonly isComplete: boolean;
}

/** Codes of the {@link UsageError}s that this file throws. */
export const SSE_ID_GIVEN = 'SSE_ID_GIVEN';

interface Entry {
  readonly event: EncodedEvent;
  readonly addedMs: number;
}

/** How many forgotten places are left in front of the list before it is moved up. */
const SLACK = 256;

/** Gives events their ids and keeps the latest, bounded by count, bytes and age. */
export class EventHistory {
  readonly #limitEvents: number;
  readonly #limitBytes: number;
  readonly #limitAgeMs: number;
  readonly #prefix: string;
  readonly #clock: Clock;
  /** From `#start` on. */
  #entries: Entry[] = [];
  #start = 0;
  /** Number of the event at `#start`; the first event has 1. */
  #first = 1;
  #bytes = 0;

  constructor(options: EventHistoryOptions = {}) {
    const {
      limitEvents = 1000,
      limitBytes = 4 * 1024 * 1024,
      limitAgeMs = 300_000,
      epoch = randomEpoch(),
      clock = nodeClock,
    } = options;
    this.#limitEvents = limitEvents;
    this.#limitBytes = limitBytes;
    this.#limitAgeMs = limitAgeMs;
    this.#prefix = `${epoch}-`;
    this.#clock = clock;
  }

  /** How many events are kept. */
  get size(): number {
    return this.#entries.length - this.#start;
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The id of the latest event; before the first event an id that means "nothing yet". */
  get lastId(): string {
    return this.idOf(this.nextNumber - 1);
  }

  /** The id before the oldest event that is kept: for a client that is to be given everything there is. */
  get startId(): string {
    this.#forget();
    return this.idOf(this.#first - 1);
  }

  /**
   * Takes an event and gives it an id.
   * @returns the event to be sent, encoded.
   * @throws {UsageError} `SSE_ID_GIVEN` when it has an id already; `SSE_FIELD_INVALID` as `formatEvent`.
   */
  add(message: EventStreamMessage): EncodedEvent {
    if (message.id !== undefined) {
      throw new UsageError('A history gives its events their ids: leave `id` out.', { code: SSE_ID_GIVEN });
    }
    const event = encodeEvent({ ...message, id: this.idOf(this.nextNumber) });
    this.#entries.push({ event, addedMs: this.#clock.nowMs() });
    this.#bytes += event.bytes.length;
    this.#forget();
    return event;
  }

  /** What followed the event with this id. An empty id is that of a new client, who has missed nothing. */
  after(lastEventId: string): MissedEvents {
    if (lastEventId === '') return { events: [], isComplete: true };
    const number = this.numberAfter(lastEventId);
    if (number === null) return { events: [], isComplete: false };
    const entries = this.#entries.slice(this.#start + number - this.#first);
    return { events: entries.map(({ event }) => event), isComplete: true };
  }

  /** @internal Number that the next event gets. */
  get nextNumber(): number {
    return this.#first + this.size;
  }

  /** @internal */
  idOf(number: number): string {
    return this.#prefix + number;
  }

  /** @internal Number of the event that follows the one with this id; null when that cannot be given any more. */
  numberAfter(id: string): number | null {
    if (!id.startsWith(this.#prefix)) return null;
    const digits = id.slice(this.#prefix.length);
    if (!/^[0-9]{1,15}$/.test(digits)) return null;
    this.#forget();
    const number = Number(digits) + 1;
    return number >= this.#first && number <= this.nextNumber ? number : null;
  }

  /** @internal The event with this number; null when it is not kept any more. */
  at(number: number): EncodedEvent | null {
    if (number < this.#first) return null;
    return this.#entries[this.#start + number - this.#first]?.event ?? null;
  }

  #forget(): void {
    const expiredMs = this.#clock.nowMs() - this.#limitAgeMs;
    for (;;) {
      const oldest = this.#entries[this.#start];
      if (oldest === undefined) break;
      const fits = this.size <= this.#limitEvents && this.#bytes <= this.#limitBytes;
      if (fits && oldest.addedMs > expiredMs) break;
      this.#bytes -= oldest.event.bytes.length;
      // The place is given up at once, the list is moved up now and then.
      this.#entries[this.#start] = FORGOTTEN;
      this.#start++;
      this.#first++;
    }
    if (this.#start >= SLACK && this.#start * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }
}

const FORGOTTEN: Entry = { event: encodeEvent({}), addedMs: 0 };

function randomEpoch(): string {
  const bytes = new Uint8Array(6);
  nodeRandom.fill(bytes);
  return Buffer.from(bytes).toString('base64url');
}
