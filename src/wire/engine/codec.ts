/**
 * What: one Engine.IO 4 packet to and from what a transport carries: text, or the raw bytes of a binary message.
 * Must not know: payloads of several packets (payload.ts), transports, sessions.
 */
import { PeerError } from '../../base/errors.ts';
import type { TextCodec } from '../../base/port.ts';
import { type OutgoingPacket, PacketType } from './packet.ts';

/** Codes of the {@link PeerError}s that this folder throws. */
export const EngineWireError = {
  /** The first character of a packet is not a packet type, or the packet is empty. */
  unknownPacketType: 'ENGINE_ERR_UNKNOWN_PACKET_TYPE',
  /** What follows `b` is not base64. */
  invalidBase64: 'ENGINE_ERR_INVALID_BASE64',
  /** The data of the open packet is not the JSON object that the protocol asks for. */
  invalidHandshake: 'ENGINE_ERR_INVALID_HANDSHAKE',
} as const;

/** A packet as it came in; `data` is the empty string when there was none. */
export interface IncomingPacket {
  readonly type: PacketType;
  readonly data: string | Uint8Array;
}

const DIGIT_ZERO = 0x30;
const LETTER_B = 0x62;

/**
 * The type of a packet in text, by its first character; `undefined` when the standard has none such (also for `b`,
 * and for the count of the session extension).
 */
export function packetTypeOf(text: string, isExtended = false): PacketType | undefined {
  const digit = text.charCodeAt(0) - DIGIT_ZERO;
  return digit >= 0 && digit < (isExtended ? 8 : 7) ? (text.charAt(0) as PacketType) : undefined;
}

/**
 * Decodes one packet as it came from a transport.
 * Bytes are a binary message as a whole (Engine.IO protocol 4, "Binary packets") and are passed on uncopied.
 * @param isExtended whether the session extension was negotiated, and `7` is a packet.
 * @throws {PeerError} `ENGINE_ERR_UNKNOWN_PACKET_TYPE`, `ENGINE_ERR_INVALID_BASE64`
 */
export function decodePacket(
  encoded: string | Uint8Array,
  codec: TextCodec,
  isExtended = false,
): IncomingPacket {
  if (typeof encoded !== 'string') return { type: PacketType.message, data: encoded };
  const type = packetTypeOf(encoded, isExtended);
  const rest = encoded.slice(1);
  if (type !== undefined) return { type, data: rest };
  // Engine.IO protocol 4, "Packet encoding": `b` and base64 is a binary message. It belongs to text transports, but
  // peers that are told to force base64 send it on WebSocket too.
  if (encoded.charCodeAt(0) !== LETTER_B) {
    throw new PeerError(
      `Expected an Engine.IO packet type from 0 to 6, got ${encoded === '' ? 'an empty packet' : `the character ${JSON.stringify(encoded.charAt(0))}`}.`,
      { code: EngineWireError.unknownPacketType },
    );
  }
  const data = codec.decodeBase64(rest);
  if (data === null) {
    throw new PeerError('A binary Engine.IO packet (b…) does not hold base64.', {
      code: EngineWireError.invalidBase64,
    });
  }
  return { type: PacketType.message, data };
}

/** Encodes a packet for a transport that carries text and bytes: a binary message is its bytes, unchanged. */
export function encodePacket(packet: OutgoingPacket): string | Uint8Array {
  return typeof packet.data === 'string' ? packet.type + packet.data : packet.data;
}

/** Encodes a packet for a transport that carries text only, and keeps the text in the packet. */
export function encodePacketAsText(packet: OutgoingPacket, codec: TextCodec): string {
  packet.encodedText ??=
    typeof packet.data === 'string' ? packet.type + packet.data : `b${codec.encodeBase64(packet.data)}`;
  return packet.encodedText;
}
