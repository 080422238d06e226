/**
 * What: the events of a client's session and the values that they carry, with the names of engine.io-client.
 * Must not know: when they are emitted.
 */
import type { UsageError } from '../../base/errors.ts';
import type { Transport } from '../../transport/port.ts';
import type { Handshake } from '../../wire/engine/handshake.ts';
import type { PacketType } from '../../wire/engine/packet.ts';

/** What can be sent as a message. */
export type EngineData = string | ArrayBuffer | ArrayBufferView | Blob;

/** How one message is sent. */
export interface WriteOptions {
  /** Whether the message may be compressed. Default true. */
  readonly compress?: boolean;
}

/** A packet as the events `packet` and `packetCreate` show it. */
export interface EnginePacket {
  readonly type: keyof typeof PacketType;
  readonly data?: unknown;
  readonly options?: WriteOptions;
}

/** Why a session ended, where the transport knows more. */
export interface CloseDetails {
  readonly description: string;
  /** The platform's own event or response. */
  readonly context?: unknown;
  /**
   * What was sent and not confirmed, in order; whether the server received it cannot be known. Only where both ends
   * have the session extension; an `Error` that takes the place of this object has the property, too.
   */
  readonly unconfirmed?: readonly (string | Uint8Array)[];
  /** What waited behind that and was never sent. */
  readonly unsent?: readonly (string | Uint8Array)[];
}

/**
 * What became of a transport. `started`: it is tried. `opened`: it carries the session. `failed`: it did not open.
 * `overtaken`: another one was faster, or better. `lost`: it carried the session and broke.
 */
export type TransportOutcome = 'started' | 'opened' | 'failed' | 'overtaken' | 'lost';

/** One step of the choice of a transport. */
export interface TransportDecision {
  readonly transport: string;
  readonly outcome: TransportOutcome;
  /** Milliseconds since the session was made. */
  readonly atMs: number;
  /** Why it failed, or was lost: a `TransportError` where the transport knows; or the name of who overtook it. */
  readonly reason?: string | Error;
}

/** Why a session is over, in the words of Engine.IO. */
export type EngineCloseReason = 'transport error' | 'transport close' | 'ping timeout' | 'forced close';

export type EngineReadyState = 'opening' | 'open' | 'closing' | 'closed';

/** The events of a session. */
export interface EngineEvents {
  open: () => void;
  handshake: (handshake: Handshake) => void;
  packet: (packet: EnginePacket) => void;
  packetCreate: (packet: EnginePacket) => void;
  data: (data: unknown) => void;
  message: (data: unknown) => void;
  drain: () => void;
  flush: () => void;
  heartbeat: () => void;
  ping: () => void;
  pong: () => void;
  /** The session could not be opened, or broke; `close` follows. */
  error: (error: Error) => void;
  /** A message was refused because the server would not take it; the session goes on. */
  sendError: (error: UsageError) => void;
  upgrading: (transport: Transport) => void;
  upgrade: (transport: Transport) => void;
  upgradeError: (error: Error) => void;
  /** A transport was started, opened, failed, was overtaken, or lost. */
  transport: (decision: TransportDecision) => void;
  /** The connection is lost; the session waits for another one. Nothing is lost yet. */
  interrupted: (reason: EngineCloseReason, description?: CloseDetails | Error) => void;
  /** The session goes on over another connection, after so many milliseconds without one. */
  resumed: (gapMs: number) => void;
  close: (reason: EngineCloseReason, description?: CloseDetails | Error) => void;
}
