/**
 * What: what `require('tautline/msgpack')` gives: a parser, as Encoder and Decoder are its members.
 * Must not know: anything but the names that users import.
 */
import { PacketType as types } from '../wire/events/packet.ts';

/** The types of packets, under the names that socket.io-msgpack-parser has for them. */
export const PacketType = {
  CONNECT: types.connect,
  DISCONNECT: types.disconnect,
  EVENT: types.event,
  ACK: types.ack,
  CONNECT_ERROR: types.connectError,
} as const;
export { Decoder, Encoder } from '../wire/events/message-pack-parser.ts';
export { decodeMessagePack } from '../wire/events/message-pack-reader.ts';
export { encodeMessagePack } from '../wire/events/message-pack-writer.ts';
export { type Packet, protocol } from '../wire/events/packet.ts';
export type { PacketDecoder, PacketEncoder, Parser } from '../wire/events/parser.ts';
