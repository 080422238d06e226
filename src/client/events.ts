/**
 * What: the events of a client's socket that do not come from the server's program, as types.
 * Must not know: when they are emitted.
 */
import type { UsageError } from '../base/errors.ts';
import type { EventRefusal, RefusedError } from '../base/refusal.ts';
import type { Untyped } from '../base/typed-events.ts';
import type { DisconnectDescription } from './options.ts';

/** Why a socket was disconnected; after the first two it does not reconnect by itself. */
export type SocketDisconnectReason =
  | 'io server disconnect'
  | 'io client disconnect'
  | 'ping timeout'
  | 'transport close'
  | 'transport error'
  | 'parse error';

/** An error with what the server has to say about it. */
export interface ExtendedError extends Error {
  data?: Untyped;
}

/** The events of a {@link Socket} that do not come from the server's program. */
export interface SocketReservedEvents {
  /** The namespace was entered, at first and after each reconnection. */
  connect: () => void;
  /** The connection failed (it is tried again), or the namespace refused (it is not; `error.data` may say why). */
  connect_error: (error: ExtendedError) => void;
  disconnect: (reason: SocketDisconnectReason, description?: DisconnectDescription) => void;
  /**
   * The connection is lost, the session waits for another one: the socket stays connected, what it emits waits, nothing is
   * lost. Either `resumed` or `disconnect` follows. Only with servers that have the session extension.
   */
  interrupted: (reason: SocketDisconnectReason, description?: DisconnectDescription) => void;
  /** The session goes on, after `gapMs` milliseconds without a connection. */
  resumed: (gapMs: number) => void;
  /** The server did not let an event through, and why; where an answer was asked for, that is `{ error }` instead. */
  'tautline:refused': (refusal: EventRefusal) => void;
  /** What the server sent does not keep the contract (`withContract`); it went no further. */
  violation: (error: RefusedError) => void;
  /**
   * An event, or an acknowledgement, was not sent because the server would not take it; the connection goes on.
   * `error.code` is `ENGINE_ERR_PAYLOAD_LIMIT`, `error.limit` the limit. Without a listener it is logged.
   */
  send_error: (error: UsageError, args: readonly unknown[]) => void;
}
