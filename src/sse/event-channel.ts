/**
 * What: many streams that get the same events, each encoded once, and the catching up of those that were away.
 * Must not know: HTTP, or what the events say.
 */
import type { EventStreamMessage } from '../wire/sse/format.ts';
import { encodeEvent } from './encoded-event.ts';
import type { EventHistory } from './event-history.ts';
import type { EventStream } from './event-stream.ts';

/** What an {@link EventChannel} can be told. */
export interface EventChannelOptions {
  /** Keeps what was published, for clients that come back. Default: nothing is kept. */
  history?: EventHistory;
  /**
   * What happens when a client has missed more than the history has: the name of an event that it is sent, or a
   * function. The event's data is JSON with `lastEventId`, its id the latest; the client should load the state anew,
   * and gets everything that follows. Default `gap`.
   */
  onGap?: string | ((stream: EventStream, lastEventId: string) => void);
}

/** How a stream joins a channel. */
export interface JoinOptions {
  /**
   * The id of the last event that the client has. Default: what its request says.
   * {@link EventHistory.startId}: give it everything there is.
   */
  since?: string;
}

/** One stream's place. */
interface Member {
  readonly stream: EventStream;
  /** Number of the event that it gets next while it catches up; null: it gets what is published. */
  next: number | null;
}

/**
 * Publishes events to all streams that have joined. Each gets them in order, without gap or repeat between what the
 * history replays and what is published meanwhile: a client that catches up reads from the history at its own pace.
 */
export class EventChannel {
  /** Undefined: nothing is kept. */
  readonly history: EventHistory | undefined;
  readonly #onGap: string | ((stream: EventStream, lastEventId: string) => void);
  readonly #members = new Map<EventStream, Member>();

  constructor({ history, onGap = 'gap' }: EventChannelOptions = {}) {
    this.history = history;
    this.#onGap = onGap;
  }

  /** How many streams have joined. */
  get size(): number {
    return this.#members.size;
  }

  /** The streams that have joined. */
  get streams(): IterableIterator<EventStream> {
    return this.#members.keys();
  }

  /**
   * Adds a stream, and gives it first what it has missed. It leaves by itself when it is over. A stream that has left
   * and joins again must say `since`: its request says only what it had when it came.
   */
  join(stream: EventStream, { since = stream.lastEventId }: JoinOptions = {}): void {
    if (!stream.isOpen || this.#members.has(stream)) return;
    const member: Member = { stream, next: null };
    this.#members.set(stream, member);
    stream.onClose(() => this.#members.delete(stream));
    if (this.history === undefined || since === '') return;
    member.next = this.history.numberAfter(since);
    if (member.next === null) this.#reportGap(stream, since);
    else this.#catchUp(member, this.history);
  }

  /** Takes a stream out; it stays open. */
  leave(stream: EventStream): void {
    this.#members.delete(stream);
  }

  /**
   * Sends an event to all streams, and keeps it in the history.
   * @returns to how many streams it was passed on; those that are catching up get it when they are there.
   * @throws {UsageError} `SSE_FIELD_INVALID`; with a history, `SSE_ID_GIVEN`.
   */
  publish(message: EventStreamMessage): number {
    const event = this.history === undefined ? encodeEvent(message) : this.history.add(message);
    let count = 0;
    for (const { stream, next } of this.#members.values()) {
      if (next !== null) continue;
      stream.send(event);
      count++;
    }
    return count;
  }

  /** Closes all streams; the clients will come back. */
  close(): void {
    for (const stream of [...this.#members.keys()]) stream.close();
  }

  #catchUp(member: Member, history: EventHistory): void {
    const { stream } = member;
    while (member.next !== null) {
      // The stream has left meanwhile, or has left and come back.
      if (this.#members.get(stream) !== member) return;
      if (member.next === history.nextNumber) {
        member.next = null;
        return;
      }
      if (!stream.isWritable) {
        void stream.ready().then((isOpen) => {
          if (isOpen) this.#catchUp(member, history);
        });
        return;
      }
      const event = history.at(member.next);
      if (event === null) {
        // It reads more slowly than the history forgets.
        const lastId = history.idOf(member.next - 1);
        member.next = null;
        this.#reportGap(stream, lastId);
      } else {
        member.next++;
        stream.send(event);
      }
    }
  }

  #reportGap(stream: EventStream, lastEventId: string): void {
    if (typeof this.#onGap === 'function') this.#onGap(stream, lastEventId);
    else {
      const data = JSON.stringify({ lastEventId });
      stream.send({ event: this.#onGap, data, id: this.history!.lastId });
    }
  }
}
