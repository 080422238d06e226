/**
 * What: several Engine.IO 4 packets in one text, as HTTP bodies carry them.
 * Must not know: HTTP, sessions, who sets the limit.
 */
import type { TextCodec } from '../../base/port.ts';
import { decodePacket, encodePacketAsText, type IncomingPacket } from './codec.ts';
import type { OutgoingPacket } from './packet.ts';

/** Engine.IO protocol 4, "HTTP long-polling": packets are joined by the ASCII record separator. */
export const SEPARATOR = '\x1e';

/** Joins packets to one payload; binary becomes base64. */
export function encodePayload(packets: readonly OutgoingPacket[], codec: TextCodec): string {
  return packets.map((packet) => encodePacketAsText(packet, codec)).join(SEPARATOR);
}

/**
 * Reads a payload and hands over its packets one by one, in order.
 * Those before a malformed one have been handed over when it throws; `receive` decides whether to go on listening.
 * @param isExtended whether the session extension was negotiated, and `7` is a packet.
 * @throws {PeerError} `ENGINE_ERR_UNKNOWN_PACKET_TYPE`, `ENGINE_ERR_INVALID_BASE64`
 */
export function decodePayload(
  payload: string,
  codec: TextCodec,
  receive: (packet: IncomingPacket) => void,
  isExtended = false,
): void {
  for (const text of payload.split(SEPARATOR)) receive(decodePacket(text, codec, isExtended));
}

/** The bytes that a packet takes in a payload, without separators: what is compared with `maxPayload`. */
export function encodedLength(packet: OutgoingPacket, codec: TextCodec): number {
  const { data } = packet;
  return 1 + (typeof data === 'string' ? codec.utf8Length(data) : Math.ceil(data.length / 3) * 4);
}

/**
 * How many packets, from the first on, go into one payload of at most `limitBytes` (`maxPayload` of the handshake).
 * At least 1: a packet that alone is above the limit must have been refused before.
 */
export function countWithin(
  packets: readonly OutgoingPacket[],
  limitBytes: number,
  codec: TextCodec,
): number {
  let total = 0;
  for (let i = 0; i < packets.length; i++) {
    total += encodedLength(packets[i]!, codec) + (i === 0 ? 0 : SEPARATOR.length);
    if (total > limitBytes && i > 0) return i;
  }
  return packets.length;
}
