/**
 * What: what a program gives to be sent, as a message; and what a message that is kept counts for.
 * Must not know: sessions, transports.
 */
import type { OutgoingPacket } from '../../wire/engine/packet.ts';

const PACKET_OVERHEAD_BYTES = 64;

/**
 * What a packet counts for where bytes are limited: its data, a character as a byte, and the objects around it. Many
 * sessions may hold one packet; each counts it, as each can be the last to do so.
 */
export function keptBytes({ data }: OutgoingPacket): number {
  return data.length + PACKET_OVERHEAD_BYTES;
}

/** Text and bytes as they are, anything else as engine.io writes it. */
export function messageData(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return data === undefined || data === null ? '' : String(data);
}
