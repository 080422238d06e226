/**
 * What: the byte work of the port ByteCodec with what every browser has; small rather than fast.
 * Must not know: Node, or what the bytes mean.
 */
import type { ByteCodec } from '../../base/port.ts';

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);
const decode = (bytes: Uint8Array, fatal = false) =>
  new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(bytes);

/** How many bytes are given to `String.fromCharCode` at once; engines limit the arguments of a call. */
const CHUNK = 0x8000;

/** Bytes in browsers: TextEncoder, TextDecoder, `atob` and `btoa`. */
export const webByteCodec: ByteCodec = {
  allocate: (length) => new Uint8Array(length),
  isUtf8(bytes) {
    try {
      decode(bytes, true);
      return true;
    } catch {
      return false;
    }
  },
  decodeUtf8: (bytes) => decode(bytes),
  encodeUtf8: encode,
  utf8Length: (text) => encode(text).length,
  writeUtf8: (target, text, offset) => encoder.encodeInto(text, target.subarray(offset)).written,
  encodeBase64(bytes) {
    let binary = '';
    for (let i = 0; i < bytes.length; i += CHUNK) {
      binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
    }
    return btoa(binary);
  },
  decodeBase64(text) {
    try {
      return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    } catch {
      return null;
    }
  },
};
