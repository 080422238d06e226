/**
 * What: a conversation that outlives its connections: counts, replays, and says when it is over (DESIGN section 2).
 * Must not know: transports, packets, timers; time comes in as an argument, deadlines go out.
 */
import { PeerError } from '../../base/errors.ts';
import { SendWindow, SessionError } from './send-window.ts';

/** What a session may hold, and for how long it waits for a connection. */
export interface SessionLimits {
  /** Milliseconds without a connection after which the session is over. */
  readonly windowMs: number;
  /**
   * Most bytes of unconfirmed messages. Others wait outside; one alone is taken whatever its size. With less than 128 KiB,
   * what waits may go on with the heartbeat only.
   */
  readonly bufferBytes: number;
  /** Most unconfirmed messages. Others wait outside. With fewer than 64, what waits goes on with the heartbeat only. */
  readonly bufferMessages: number;
}

/**
 * One minute covers a tunnel, a lift, or the way from Wi-Fi to the mobile network, and is what an absent user may go
 * on looking present for (docs/decisions/0007-the-end-of-a-session.md). 16 MiB and 100,000 messages are more than a
 * healthy connection has under way, also in a burst; a broadcast is held once, however many sessions keep it.
 * Both ends may set other values; the server tells its window in the handshake.
 */
export const defaultSessionLimits: SessionLimits = {
  windowMs: 60_000,
  bufferBytes: 16 * 1024 * 1024,
  bufferMessages: 100_000,
};

/** After so many messages or bytes the peer is told the count at once; otherwise with the next heartbeat. */
const TELL_AFTER_MESSAGES = 32;
const TELL_AFTER_BYTES = 64 * 1024;

/** `attached`: a connection carries it. `detached`: it waits for one. `over`: nothing will be sent or received. */
export type SessionState = 'attached' | 'detached' | 'over';

/**
 * Why a session is over. `closed`: on purpose, by either side. `expired`: no connection came within the window.
 * `overflow`: more waited outside of it than its sender lets wait. `protocol`: one side told what cannot be true.
 */
export type SessionEnd = 'closed' | 'expired' | 'overflow' | 'protocol';

/**
 * Reads a count or an index as it stands in packets and query parameters: decimal digits, no sign, no leading zero.
 * @throws {PeerError} `SESSION_ERR_INVALID_COUNT`
 */
export function parseCount(text: string): number {
  const count = Number(text);
  // Only the very text that the other side should have written: not `1e3`, not ` 7`, not the empty text.
  if (Number.isSafeInteger(count) && count >= 0 && String(count) === text) return count;
  throw new PeerError(`${JSON.stringify(text.slice(0, 40))} is no count: a whole number from 0 on.`, {
    code: SessionError.invalidCount,
  });
}

/** What was not confirmed when the session ended; whether the peer received it cannot be known. */
export interface SessionOutcome<Message> {
  readonly end: SessionEnd;
  readonly unconfirmed: readonly Message[];
}

/**
 * One side of a session. Delivery: each message exactly once and in order while the session lasts, over any
 * sequence of connections, provided that each connection delivers a prefix of what it was given, in order, and
 * that the counts below are passed on faithfully. Both sides use the same class.
 */
export class Session<Message> {
  readonly #limits: SessionLimits;
  readonly #window = new SendWindow<Message>();
  #state: SessionState = 'detached';
  #detachedAtMs: number;
  #received = 0;
  #told = 0;
  #untoldBytes = 0;

  /** A session begins detached; `attach` follows at once on both sides. */
  constructor(limits: SessionLimits, nowMs: number) {
    this.#limits = limits;
    this.#detachedAtMs = nowMs;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** When the last connection was lost, on the clock of the arguments. */
  get detachedAtMs(): number {
    return this.#detachedAtMs;
  }

  /** How many of the peer's messages have been delivered: the count to present to it. */
  get received(): number {
    return this.#received;
  }

  /** How many of our messages the peer has confirmed. */
  get confirmed(): number {
    return this.#window.confirmed;
  }

  /** Index that the next message of ours gets. */
  get nextIndex(): number {
    return this.#window.next;
  }

  /** Bytes of ours that are not confirmed. */
  get unconfirmedBytes(): number {
    return this.#window.bytes;
  }

  /** Milliseconds (same clock as the arguments) at which `expire` wants to be called; `Infinity` while attached. */
  get nextDeadlineMs(): number {
    return this.#state === 'detached' ? this.#detachedAtMs + this.#limits.windowMs : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a message of ours, with the next index. Attached: the caller passes it to the connection as well.
   * @returns false: there is no room for it until the peer has confirmed some; or the session is over.
   */
  send(message: Message, bytes: number): boolean {
    const { bufferBytes, bufferMessages } = this.#limits;
    const { unconfirmed } = this.#window;
    const isFull = unconfirmed >= bufferMessages || this.#window.bytes + bytes > bufferBytes;
    if (this.#state === 'over' || (isFull && unconfirmed)) return false;
    this.#window.push(message, bytes);
    return true;
  }

  /** Whether half of the room is free: what waits outside goes in then, many at a time. */
  get isHalfFree(): boolean {
    const { bufferBytes, bufferMessages } = this.#limits;
    return this.#window.unconfirmed * 2 <= bufferMessages && this.#window.bytes * 2 <= bufferBytes;
  }

  /**
   * A new connection carries the session; an older one, if any, must not be listened to any more.
   * @param peerReceived the count that the peer presented.
   * @returns the messages to pass to the connection before all others, the first with index `peerReceived`.
   * @throws {PeerError} when the peer's count cannot be true.
   */
  attach(peerReceived: number): Message[] {
    this.#window.confirm(peerReceived);
    const replay = this.#window.from(peerReceived);
    // What was told over the connection before may not have arrived.
    this.#told = 0;
    if (this.#state !== 'over') this.#state = 'attached';
    return replay;
  }

  /**
   * The unconfirmed messages from `index` on.
   * @throws {PeerError} `SESSION_ERR_COUNT_WENT_BACK`
   */
  messagesFrom(index: number): Message[] {
    return this.#window.from(index);
  }

  /**
   * As {@link messagesFrom}, for a connection that takes them piece by piece.
   * @param limitBytes no more are given once so many bytes are reached; but one at least.
   */
  messagesWithin(index: number, limitBytes: number): Message[] {
    return this.#window.within(index, limitBytes);
  }

  /** The connection is gone. */
  detach(nowMs: number): void {
    if (this.#state !== 'attached') return;
    this.#state = 'detached';
    this.#detachedAtMs = nowMs;
  }

  /**
   * A message of the peer's with its index has arrived.
   * @returns true: deliver it. false: it was delivered before, over another connection.
   * @throws {PeerError} `SESSION_ERR_GAP`
   */
  receive(index: number, bytes: number): boolean {
    if (this.#state === 'over' || index < this.#received) return false;
    if (index > this.#received) {
      throw new PeerError(`Message ${index} arrived before message ${this.#received}.`, {
        code: SessionError.gap,
      });
    }
    this.#received++;
    this.#untoldBytes += bytes;
    return true;
  }

  /**
   * The peer says how many messages it has received.
   * @throws {PeerError} `SESSION_ERR_CONFIRMED_TOO_MUCH`
   */
  receiveCount(count: number): void {
    this.#window.confirm(count);
  }

  /** Whether the peer should be told the count now, for it to let go of what it holds. */
  get isCountDue(): boolean {
    return this.#received - this.#told >= TELL_AFTER_MESSAGES || this.#untoldBytes >= TELL_AFTER_BYTES;
  }

  /** Whether the peer does not know the count yet; a heartbeat takes it along. */
  get isCountNew(): boolean {
    return this.#received !== this.#told;
  }

  /** The count, to be told now. */
  tellCount(): number {
    this.#told = this.#received;
    this.#untoldBytes = 0;
    return this.#received;
  }

  /** Ends the session if its deadline has passed. */
  expire(nowMs: number): SessionOutcome<Message> | null {
    return nowMs >= this.nextDeadlineMs ? this.#end('expired') : null;
  }

  /** Ends the session: either side has closed it on purpose, or has to, for the reason given. */
  close(end: SessionEnd = 'closed'): SessionOutcome<Message> | null {
    return this.#state === 'over' ? null : this.#end(end);
  }

  #end(end: SessionEnd): SessionOutcome<Message> {
    this.#state = 'over';
    return { end, unconfirmed: this.#window.from(this.#window.confirmed) };
  }
}
