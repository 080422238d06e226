/**
 * What: the little byte work that a client needs, with what every browser has; small rather than fast.
 * Must not know: Node, or what the bytes mean.
 */
import type { TextCodec } from '../../base/port.ts';

/** How many bytes are given to `String.fromCharCode` at once; engines limit the arguments of a call. */
const CHUNK = 0x8000;

/** Lengths by TextEncoder, base64 by `atob` and `btoa`. */
export const webTextCodec: TextCodec = {
  utf8Length: (text) => new TextEncoder().encode(text).length,
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
