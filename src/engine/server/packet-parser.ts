/**
 * What: Engine.IO 4 packets to and from what transports carry, with the names and shapes of `engine.io-parser`.
 * Must not know: sessions; the server itself goes by wire/engine, this is for programs that read packets themselves.
 */
import { PeerError } from '../../base/errors.ts';
import { nodeByteCodec } from '../../transport/platform/node-byte-codec.ts';
import * as wire from '../../wire/engine/codec.ts';
import { OutgoingPacket, PacketType as WireType } from '../../wire/engine/packet.ts';
import { decodePayload as decodeWirePayload } from '../../wire/engine/payload.ts';

/** `error` stands for what could not be read. */
export type PacketType = Exclude<keyof typeof WireType, 'count'> | 'error';

/** Text or bytes of a message. */
export type RawData = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** A packet as `engine.io-parser` has it. */
export interface Packet {
  type: PacketType;
  options?: { compress: boolean };
  data?: RawData | null;
}

/** As what bytes are given out: a Buffer, unless it says `arraybuffer`. */
export type BinaryType = 'nodebuffer' | 'arraybuffer';

/** The revision of the Engine.IO protocol. */
export const protocol = 4;

const nameByType = new Map<string, PacketType>(
  Object.entries(WireType).map(([name, type]) => [type, name as PacketType]),
);

function toOutgoing({ type, data }: Packet): OutgoingPacket {
  const digit = type === 'error' ? WireType.noop : WireType[type];
  if (data instanceof ArrayBuffer) return new OutgoingPacket(digit, new Uint8Array(data));
  if (ArrayBuffer.isView(data) && !(data instanceof Uint8Array)) {
    return new OutgoingPacket(digit, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return new OutgoingPacket(digit, data ?? '');
}

/**
 * Writes one packet.
 * @param supportsBinary whether the transport carries bytes; otherwise they become base64.
 */
export function encodePacket(
  packet: Packet,
  supportsBinary: boolean,
  callback: (encoded: string | Uint8Array) => void,
): void {
  const outgoing = toOutgoing(packet);
  callback(supportsBinary ? wire.encodePacket(outgoing) : wire.encodePacketAsText(outgoing, nodeByteCodec));
}

/** Reads one packet; what is none becomes one of the type `error`. */
export function decodePacket(encoded: string | Uint8Array | ArrayBuffer, binaryType?: BinaryType): Packet {
  try {
    const given = encoded instanceof ArrayBuffer ? new Uint8Array(encoded) : encoded;
    const { type, data } = wire.decodePacket(given, nodeByteCodec);
    return packetOf(type, data, binaryType);
  } catch (error) {
    return errorPacket(error);
  }
}

/** Writes several packets as one text, as the body of a request has them. */
export function encodePayload(packets: readonly Packet[], callback: (encoded: string) => void): void {
  const texts = packets.map((packet) => wire.encodePacketAsText(toOutgoing(packet), nodeByteCodec));
  callback(texts.join('\x1e'));
}

/** Reads a payload; a packet of the type `error` is the last one. */
export function decodePayload(encoded: string, binaryType?: BinaryType): Packet[] {
  const packets: Packet[] = [];
  try {
    decodeWirePayload(encoded, nodeByteCodec, ({ type, data }) => {
      packets.push(packetOf(type, data, binaryType));
    });
  } catch (error) {
    packets.push(errorPacket(error));
  }
  return packets;
}

function packetOf(wireType: WireType, data: string | Uint8Array, binaryType: BinaryType | undefined): Packet {
  const type = nameByType.get(wireType) as PacketType;
  if (typeof data !== 'string') return { type, data: bytesOf(data, binaryType) };
  return data === '' ? { type } : { type, data };
}

function bytesOf(data: Uint8Array, binaryType: BinaryType | undefined): Uint8Array | ArrayBuffer {
  if (binaryType === 'arraybuffer') return new Uint8Array(data).buffer;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function errorPacket(error: unknown): Packet {
  if (!(error instanceof PeerError)) throw error;
  return { type: 'error', data: 'parser error' };
}
