/**
 * What: events of one socket that wait for guards and are handed on in the order in which they came.
 * Must not know: guards; it is given the check, and told which lanes there are.
 */
import type { EventSocket } from '../streams/event-socket.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import { throwLater } from './client.ts';
import { type GuardedEvent, refuseBacklogged } from './event-guard.ts';
import { eventBytes } from './event-size.ts';
import type { AnySocket } from './socket.ts';

/** Events that may wait in one lane for their time. Above it they are refused: a client that floods pays for it. */
const WAITING_LIMIT = 1000;
/** The same in bytes, as much as of all that a backlog lets wait: a thousand of the largest events are a gigabyte. */
const WAITING_BYTES = 16 * 1024 * 1024;
/** Events of one socket that are looked at at the same time, where their order is kept; others wait to be looked at. */
const CHECKING_LIMIT = 64;
/** The same in bytes. They are in no backlog, so that few events do not keep anybody waiting. */
const CHECKING_BYTES = 1024 * 1024;

type Check = (event: EventArguments) => GuardedEvent | Promise<GuardedEvent>;

interface Checking {
  /** The id of the stream that it asks for, if it does. */
  readonly stream: number | undefined;
  readonly checked: Promise<GuardedEvent>;
  readonly bytes: number;
}

interface Unchecked {
  readonly event: EventArguments;
  readonly bytes: number;
}

/**
 * A row of events. A *held up* one looks at few of them at a time, and lets the client wait, by its backlog, for the rest.
 * In any other each is looked at when it comes, since its time counts from then.
 */
export class IntakeLane {
  readonly #socket: AnySocket;
  readonly #isHeldUp: boolean;
  readonly #check: Check;
  readonly #ended: () => void;
  readonly #checking: Checking[] = [];
  /** Of those that are looked at. */
  #bytes = 0;
  #unchecked: Unchecked[] = [];

  /** @param ended called when nothing waits any more; the lane is of no further use. */
  constructor(socket: AnySocket, isHeldUp: boolean, check: Check, ended: () => void) {
    this.#socket = socket;
    this.#isHeldUp = isHeldUp;
    this.#check = check;
    this.#ended = ended;
  }

  /** The first event, which is being looked at. */
  begin(event: EventArguments, checked: Promise<GuardedEvent>): void {
    if (this.#expects(event)) this.#append(event, checked, eventBytes(event));
    void this.#run();
  }

  /** An event has come behind the others. */
  add(event: EventArguments): void {
    if (!this.#expects(event)) return;
    const { backlog } = this.#socket.client;
    const bytes = eventBytes(event);
    if (this.#isHeldUp ? backlog.isFull : this.#isOver(WAITING_LIMIT, WAITING_BYTES, bytes)) {
      refuseBacklogged(this.#socket, event);
    } else if (
      this.#isHeldUp &&
      (this.#unchecked.length > 0 || this.#isOver(CHECKING_LIMIT, CHECKING_BYTES, bytes))
    ) {
      this.#unchecked.push({ event, bytes });
      backlog.add(bytes);
    } else this.#append(event, this.#look(event), bytes);
  }

  /** Whether one more would be too much to be looked at. One alone never is. */
  #isOver(limit: number, limitBytes: number, bytes: number): boolean {
    const { length } = this.#checking;
    return length >= limit || (length > 0 && this.#bytes + bytes > limitBytes);
  }

  /** A stream that waits to be opened can be cancelled. @returns false if it is one too many, and was refused. */
  #expects(event: EventArguments): boolean {
    const stream = streamOf(event);
    return stream === undefined || this.#streams.expect(stream);
  }

  /** What a guard throws at is refused by now. Whatever else fails, what is behind it does not wait for ever. */
  #look(event: EventArguments): GuardedEvent | Promise<GuardedEvent> {
    try {
      return this.#check(event);
    } catch (error) {
      throwLater(error);
      return null;
    }
  }

  get #streams(): StreamPeer {
    return StreamPeer.of(this.#socket as unknown as EventSocket);
  }

  #append(event: EventArguments, checked: GuardedEvent | Promise<GuardedEvent>, bytes: number): void {
    const settled = Promise.resolve(checked).catch((error) => {
      throwLater(error);
      return null;
    });
    this.#checking.push({ stream: streamOf(event), checked: settled, bytes });
    this.#bytes += bytes;
  }

  async #run(): Promise<void> {
    for (let next = this.#checking[0]; next !== undefined; next = this.#checking[0]) {
      const event = await next.checked;
      this.#checking.shift();
      this.#bytes -= next.bytes;
      if (event === null && next.stream !== undefined) this.#streams.forget(next.stream);
      this.#refill();
      try {
        if (event !== null) this.#socket.passEvent(event);
      } catch (error) {
        throwLater(error);
      }
    }
    this.#ended();
  }

  #refill(): void {
    if (this.#unchecked.length === 0 || this.#checking.length > CHECKING_LIMIT / 2) return;
    const isWanted = this.#socket.connected;
    // Nobody would get what the guards make of it.
    const count = isWanted ? CHECKING_LIMIT / 2 : this.#unchecked.length;
    const first = this.#unchecked.slice(0, count);
    this.#unchecked = this.#unchecked.slice(count);
    let sum = 0;
    for (const { event, bytes } of first) {
      sum += bytes;
      if (isWanted) this.#append(event, this.#look(event), bytes);
    }
    // Last: it may have more of the client's events read at once, which are behind these.
    this.#socket.client.backlog.remove(sum);
  }
}

/** The id of the stream that an event asks for. */
function streamOf([name, kind, id]: EventArguments): number | undefined {
  return name === STREAM_EVENT && kind === 'open' && typeof id === 'number' ? id : undefined;
}
