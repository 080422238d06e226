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
/** Events of one socket that are looked at at the same time, where their order is kept; others wait to be looked at. */
const CHECKING_LIMIT = 64;

type Check = (event: EventArguments) => GuardedEvent | Promise<GuardedEvent>;

interface Checking {
  /** The id of the stream that it asks for, if it does. */
  readonly stream: number | undefined;
  readonly checked: Promise<GuardedEvent>;
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
    if (this.#expects(event)) this.#append(event, checked);
    void this.#run();
  }

  /** An event has come behind the others. */
  add(event: EventArguments): void {
    if (!this.#expects(event)) return;
    const { backlog } = this.#socket.client;
    if (this.#isHeldUp ? backlog.isFull : this.#checking.length >= WAITING_LIMIT) {
      refuseBacklogged(this.#socket, event);
    } else if (this.#isHeldUp && (this.#unchecked.length > 0 || this.#checking.length >= CHECKING_LIMIT)) {
      const bytes = eventBytes(event);
      this.#unchecked.push({ event, bytes });
      backlog.add(bytes);
    } else this.#append(event, this.#look(event));
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

  #append(event: EventArguments, checked: GuardedEvent | Promise<GuardedEvent>): void {
    const settled = Promise.resolve(checked).catch((error) => {
      throwLater(error);
      return null;
    });
    this.#checking.push({ stream: streamOf(event), checked: settled });
  }

  async #run(): Promise<void> {
    for (let next = this.#checking[0]; next !== undefined; next = this.#checking[0]) {
      const event = await next.checked;
      this.#checking.shift();
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
    const first = this.#unchecked.slice(0, CHECKING_LIMIT / 2);
    this.#unchecked = this.#unchecked.slice(CHECKING_LIMIT / 2);
    const { backlog } = this.#socket.client;
    for (const { event, bytes } of first) {
      backlog.remove(bytes);
      // Nobody would get what the guards make of it.
      if (this.#socket.connected) this.#append(event, this.#look(event));
    }
  }
}

/** The id of the stream that an event asks for. */
function streamOf([name, kind, id]: EventArguments): number | undefined {
  return name === STREAM_EVENT && kind === 'open' && typeof id === 'number' ? id : undefined;
}
