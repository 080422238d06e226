/**
 * What: frames as bytes (RFC 6455 section 5.2): header lengths, headers, and whole frames.
 * Must not know: connections, what was negotiated, where frames go.
 */
import type { ByteCodec } from '../../base/port.ts';
import { maskInto } from './mask.ts';
import { finBit, maskBit, Opcode, rsv1Bit } from './opcode.ts';

const two32 = 0x1_0000_0000;

/** Longest header there is: two bytes, a 64-bit length, a masking key. */
export const frameHeaderLimitBytes = 14;

/** The header's length for a payload of so many bytes: 2, 4 or 10, and 4 for the key of a masked frame. */
export function frameHeaderLength(payloadLength: number, isMasked: boolean): number {
  const unmasked = payloadLength < 126 ? 2 : payloadLength < 0x10000 ? 4 : 10;
  return isMasked ? unmasked + 4 : unmasked;
}

/** The length of the payload in a frame of so many bytes, the reverse of {@link frameHeaderLength}. */
export function framePayloadLength(frameLength: number, isMasked: boolean): number {
  const unmasked = isMasked ? frameLength - 4 : frameLength;
  return unmasked - (unmasked < 128 ? 2 : unmasked < 0x10004 ? 4 : 10);
}

/** A header's first byte. */
export function frameFirstByte(opcode: Opcode, isFinal: boolean, isDeflated: boolean): number {
  return opcode | (isFinal ? finBit : 0) | (isDeflated ? rsv1Bit : 0);
}

/**
 * Writes the header of an unmasked frame, with the length in its shortest form, and returns the offset behind it.
 * @param firstByte from {@link frameFirstByte}.
 */
export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  firstByte: number,
  payloadLength: number,
): number {
  target[offset] = firstByte;
  if (payloadLength < 126) {
    target[offset + 1] = payloadLength;
    return offset + 2;
  }
  if (payloadLength < 0x10000) {
    target[offset + 1] = 126;
    target[offset + 2] = payloadLength >> 8;
    target[offset + 3] = payloadLength & 0xff;
    return offset + 4;
  }
  target[offset + 1] = 127;
  const high = Math.floor(payloadLength / two32);
  writeUint32(target, offset + 2, high);
  writeUint32(target, offset + 6, payloadLength % two32);
  return offset + 10;
}

/** Headers of short text frames: the first byte is the same for all, and strings are made once. */
const shortTextHeaders = Array.from({ length: 126 }, (_, length) =>
  String.fromCharCode(finBit | Opcode.text, length),
);

/** As {@link writeFrameHeader} for less than 65,536 bytes, as characters that are the bytes. */
export function formatFrameHeader(firstByte: number, payloadLength: number): string {
  if (payloadLength >= 126) {
    return String.fromCharCode(firstByte, 126, payloadLength >> 8, payloadLength & 0xff);
  }
  if (firstByte === (finBit | Opcode.text)) return shortTextHeaders[payloadLength]!;
  return String.fromCharCode(firstByte, payloadLength);
}

/** As {@link writeFrameHeader}, with the mask bit and the key. */
export function writeMaskedFrameHeader(
  target: Uint8Array,
  offset: number,
  firstByte: number,
  payloadLength: number,
  key: number,
): number {
  const behind = writeFrameHeader(target, offset, firstByte, payloadLength);
  target[offset + 1]! |= maskBit;
  target[behind] = key & 0xff;
  target[behind + 1] = (key >>> 8) & 0xff;
  target[behind + 2] = (key >>> 16) & 0xff;
  target[behind + 3] = key >>> 24;
  return behind + 4;
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = (value >>> 16) & 0xff;
  target[offset + 2] = (value >>> 8) & 0xff;
  target[offset + 3] = value & 0xff;
}

/** What a frame is made of. */
export interface FrameParts {
  readonly opcode: Opcode;
  readonly payload: Uint8Array;
  /** Whether it ends its message. */
  readonly isFinal: boolean;
  /** Whether it begins a message that is compressed (RFC 7692 section 6). */
  readonly isDeflated: boolean;
  /** The masking key of a client's frame (see mask.ts), `null` for a server's. */
  readonly maskKey: number | null;
}

/** One frame in memory of its own; the payload stays as it is. For tools and tests: connections write in place. */
export function encodeFrame(parts: FrameParts, codec: ByteCodec): Uint8Array {
  const { payload, maskKey } = parts;
  const firstByte = frameFirstByte(parts.opcode, parts.isFinal, parts.isDeflated);
  const frame = codec.allocate(frameHeaderLength(payload.length, maskKey !== null) + payload.length);
  if (maskKey === null) {
    frame.set(payload, writeFrameHeader(frame, 0, firstByte, payload.length));
  } else {
    const offset = writeMaskedFrameHeader(frame, 0, firstByte, payload.length, maskKey);
    maskInto(frame, offset, payload, 0, payload.length, maskKey);
  }
  return frame;
}

/**
 * A whole message as one unmasked frame, made once for all receivers of a broadcast
 * (`WebSocketConnection.sendEncoded`).
 */
export function encodeServerFrame(
  opcode: Opcode,
  payload: Uint8Array | string,
  codec: ByteCodec,
): Uint8Array {
  const length = typeof payload === 'string' ? codec.utf8Length(payload) : payload.length;
  const frame = codec.allocate(frameHeaderLength(length, false) + length);
  const offset = writeFrameHeader(frame, 0, opcode | finBit, length);
  if (typeof payload === 'string') codec.writeUtf8(frame, payload, offset);
  else frame.set(payload, offset);
  return frame;
}

/**
 * A whole message, already deflated and without its last four bytes (RFC 7692 section 7.2.1), as one unmasked
 * frame for all receivers that agreed on the same parameters.
 */
export function encodeDeflatedServerFrame(
  opcode: Opcode,
  deflated: Uint8Array,
  codec: ByteCodec,
): Uint8Array {
  const frame = codec.allocate(frameHeaderLength(deflated.length, false) + deflated.length);
  frame.set(deflated, writeFrameHeader(frame, 0, opcode | finBit | rsv1Bit, deflated.length));
  return frame;
}
