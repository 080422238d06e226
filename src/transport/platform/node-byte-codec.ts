/**
 * What: byte work on Node's native code: UTF-8 checks, text to bytes and back, base64, memory from the Buffer pool.
 * Must not know: protocols, sockets, streams.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import type { ByteCodec } from '../../base/port.ts';

const encoder = new TextEncoder();

/** Wraps bytes as a Buffer without a copy; a Buffer is returned as it is. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Decodes a part of `source` known to be well-formed UTF-8.
 * Without a view of the part: for short messages the view costs as much as the decoding.
 */
export function decodeText(source: Uint8Array, start: number, end: number): string {
  return asBuffer(source).toString('utf8', start, end);
}

/** The bytes as the whole of an `ArrayBuffer`, copied where they are a part of one: programs may transfer it. */
export function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  const copy = new Uint8Array(byteLength);
  copy.set(bytes);
  return copy.buffer;
}

/** The base64 alphabet with padding, whole groups only; checked by hand because Node skips what it does not know. */
function isBase64(text: string): boolean {
  const { length } = text;
  if (length % 4 !== 0) return false;
  let end = length;
  if (length > 0 && text.charCodeAt(length - 1) === 0x3d)
    end = text.charCodeAt(length - 2) === 0x3d ? length - 2 : length - 1;
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    const isDigit = c >= 0x30 && c <= 0x39;
    const isLetter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
    if (!isDigit && !isLetter && c !== 0x2b && c !== 0x2f) return false;
  }
  return true;
}

/** The {@link ByteCodec} of Node. What it allocates is a `Buffer`, small ones from Node's pool. */
export const nodeByteCodec: ByteCodec = {
  allocate: (length) => Buffer.allocUnsafe(length),
  isUtf8: (bytes) => isUtf8(bytes),
  decodeUtf8: (bytes) => asBuffer(bytes).toString('utf8'),
  encodeUtf8: (text) => Buffer.from(text, 'utf8'),
  utf8Length: (text) => Buffer.byteLength(text, 'utf8'),
  writeUtf8(target, text, offset) {
    if (Buffer.isBuffer(target)) return target.write(text, offset);
    return encoder.encodeInto(text, target.subarray(offset)).written;
  },
  encodeBase64: (bytes) => asBuffer(bytes).toString('base64'),
  decodeBase64: (text) => (isBase64(text) ? Buffer.from(text, 'base64') : null),
};
