/**
 * What: what a session tells a program: its events, why it ended, and how a packet looks.
 * Must not know: when any of it is told, transports.
 */
import { PeerError } from '../../base/errors.ts';
import type { Transport } from '../../transport/port.ts';
import { EngineWireError } from '../../wire/engine/codec.ts';
import { type OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';

/** Why a session ended. The texts are those of engine.io, which programs match on. */
export const CloseReason = {
  transportError: 'transport error',
  transportClose: 'transport close',
  forcedClose: 'forced close',
  pingTimeout: 'ping timeout',
  parseError: 'parse error',
} as const;
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** Where a session stands; `closing` waits for what is still to be sent. */
export type ReadyState = 'opening' | 'open' | 'closing' | 'closed';

/** A packet as the events `packet` and `packetCreate` show it. */
export interface PacketView {
  readonly type: keyof typeof PacketType;
  readonly data?: string | Uint8Array;
  readonly options: { readonly compress: boolean };
}

/** Arguments of the events of {@link Socket}. */
export interface SocketEvents {
  open: [];
  message: [data: string | Buffer];
  /** The same as `message`. */
  data: [data: string | Buffer];
  packet: [packet: PacketView];
  packetCreate: [packet: PacketView];
  flush: [packets: readonly OutgoingPacket[]];
  drain: [];
  heartbeat: [];
  error: [error: Error];
  close: [reason: CloseReason, description: unknown];
  upgrading: [transport: Transport];
  /** Another transport carries the session. */
  upgrade: [transport: Transport];
  /** The session has no connection, and waits for one (only with a client of Tautline's). */
  interrupted: [reason: CloseReason, description: unknown];
  /** It has one again, after so many milliseconds. */
  resumed: [gapMs: number];
}

/** How one message is sent. */
export interface SendOptions {
  /** Whether this message may be compressed where compression was negotiated. Default true. */
  readonly compress?: boolean;
}

/** Called when a message was passed to the operating system, as far as is known. */
export type SentCallback = (transport: Transport) => void;

/** The names that engine.io's users know packets by. */
export const nameByType = Object.fromEntries(
  Object.entries(PacketType).map(([name, type]) => [type, name]),
) as Record<PacketType, keyof typeof PacketType>;

/** How a packet is shown. */
export function viewOf({ type, data, compress }: OutgoingPacket): PacketView {
  return { type: nameByType[type], data, options: { compress } };
}

/** Whether it is what engine.io calls a parse error. */
export function isParseError(error: Error | undefined): boolean {
  if (!(error instanceof PeerError)) return false;
  return error.code === EngineWireError.unknownPacketType || error.code === EngineWireError.invalidBase64;
}
