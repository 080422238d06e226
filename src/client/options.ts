/**
 * What: what a program may say about its connections and sockets, with the names of socket.io-client.
 * Must not know: how either works.
 */
import type { UsageError } from '../base/errors.ts';
import type { Clock } from '../base/port.ts';
import type { WriteOptions } from '../engine/client/events.ts';
import type { EngineOptions } from '../engine/client/options.ts';
import type { LooselyTypedParser, Parser } from '../wire/events/message-decoder.ts';
import type { EventPacket, Packet } from '../wire/events/packet.ts';

/** Options of a {@link Manager}, those of its engine included. */
export interface ManagerOptions extends EngineOptions {
  /** Whether `io()` makes a connection of its own. Default false. */
  forceNew: boolean;
  /** Whether `io()` shares the connection to a server between namespaces. Default true. */
  multiplex: boolean;
  /** Path of the endpoint. Default `/socket.io`. */
  path: string;
  /** Whether to reconnect after a loss. Default true. */
  reconnection: boolean;
  /** How often to try before giving up. Default Infinity. */
  reconnectionAttempts: number;
  /** Delay before the first attempt, in ms; each following is twice as long. Default 1000. */
  reconnectionDelay: number;
  /** Longest delay, in ms. Default 5000. */
  reconnectionDelayMax: number;
  /** How far delays stray, from 0 to 1. Default 0.5. */
  randomizationFactor: number;
  /** Time limit of an attempt to connect, in ms; `false`: none. Default 20000. */
  timeout: number | false;
  /** Whether to connect without being told to. Default true. */
  autoConnect: boolean;
  /** How packets are written, the same as on the server. Default: JSON with attachments. */
  parser: Parser | LooselyTypedParser;
}

/** What a namespace gets to see of the client before it lets it in. */
export type Auth = { [key: string]: unknown } | ((callback: (data: object) => void) => void);

/** Options of a {@link Socket}. */
export interface SocketOptions {
  /** Sent with each attempt to enter the namespace; a function is asked each time. */
  auth?: Auth;
  /** How often to send an event again that was not acknowledged in time; then it is given up. Default: not at all. */
  retries?: number;
  /** Time limit of acknowledgements, in ms. Default: none. */
  ackTimeout?: number;
  /**
   * How many events may wait for a session. The next one is refused: its acknowledgement and `send_error` get a
   * `UsageError` with the code `EMIT_ERR_BUFFER_FULL`. Default 100,000, as many as a session keeps; as many, or more if
   * this is larger, may wait in a session that is interrupted or has no room for more. Their bytes are not bounded: events
   * are kept as they were emitted, by reference, and how long they are is known only when they are written.
   */
  sendBufferLimit?: number;
  /**
   * Keeps what is emitted until the server has confirmed it, beyond this page if it can: `indexedDbOutbox()` of
   * `tautline/client/outbox`. Volatile events are not kept; `retries` has no effect beside it. Default: none.
   */
  outbox?: { attach(socket: KeptSocket): SocketOutbox };
}

/** An event on its way. */
export type OutgoingEvent = EventPacket & { options?: WriteOptions };

/** What keeps the events of one socket. */
export interface SocketOutbox {
  /** The socket has entered its namespace, in a new session. */
  connected(): void;
  /** Takes an event, to be sent in its turn. @returns why there is no room for it. */
  push(packet: OutgoingEvent): UsageError | undefined;
  /** Whether the event that waits for this acknowledgement was not sent yet. */
  holds(ackId: number): boolean;
}

/** A socket, as far as what keeps its events needs it. */
export interface KeptSocket {
  readonly nsp: string;
  readonly connected: boolean;
  readonly io: { readonly _clock: Clock; readonly engine: { readonly _isResumable: boolean } };
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  /** Sends an event. @param head what stands before its name. @returns false: the server would not take it. @internal */
  _sendKept(packet: OutgoingEvent, head: readonly unknown[]): boolean;
}

/** Why a socket or a connection ended, where more is known than the reason. */
export type DisconnectDescription = (Error | { description: string; context?: unknown }) & {
  /**
   * What was sent, in any namespace, and not confirmed, in order; whether the server received it cannot be known.
   * Only where the server has the session extension. `data` of an event is its name and its arguments as they were
   * emitted, of an acknowledgement its arguments.
   */
  readonly unconfirmed?: readonly Packet[];
  /** What never left, in the same form. The events among it are sent in the next session, without being emitted again. */
  readonly unsent?: readonly Packet[];
};
