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
}

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
  close: (reason: EngineCloseReason, description?: CloseDetails | Error) => void;
}
