/**
 * What: the byte codec that runs everywhere: the web's text coders and loops.
 * Must not know: what a platform has that is faster; that comes in as another ByteCodec.
 */
import type { ByteCodec } from './port.ts';
import { isUtf8, utf8Length, writeUtf8 } from './utf8.ts';

const encoder = new TextEncoder();
/** `ignoreBOM` keeps a leading BOM: to a message it is data. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const notBase64 = 64;
const sextets = new Uint8Array(128).fill(notBase64);
for (let i = 0; i < alphabet.length; i++) sextets[alphabet.charCodeAt(i)] = i;

function sextetAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit < 128 ? sextets[unit]! : notBase64;
}

function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const three = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    parts.push(
      alphabet[three >> 18]! +
        alphabet[(three >> 12) & 63]! +
        alphabet[(three >> 6) & 63]! +
        alphabet[three & 63]!,
    );
  }
  if (bytes.length - whole === 1) {
    const one = bytes[whole]!;
    parts.push(`${alphabet[one >> 2]!}${alphabet[(one & 3) << 4]!}==`);
  } else if (bytes.length - whole === 2) {
    const two = (bytes[whole]! << 8) | bytes[whole + 1]!;
    parts.push(`${alphabet[two >> 10]!}${alphabet[(two >> 4) & 63]!}${alphabet[(two & 15) << 2]!}=`);
  }
  return parts.join('');
}

function decodeBase64(text: string): Uint8Array | null {
  // RFC 4648 section 4: groups of four characters, the last one filled up with one or two `=`.
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let written = 0;
  let bits = 0;
  let bitCount = 0;
  for (let i = 0; i < characters; i++) {
    const sextet = sextetAt(text, i);
    if (sextet === notBase64) return null;
    bits = ((bits << 6) | sextet) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[written++] = bits >> bitCount;
    }
  }
  return bytes;
}

/** A {@link ByteCodec} without any platform's help. */
export const portableByteCodec: ByteCodec = {
  allocate: (length) => new Uint8Array(length),
  isUtf8,
  decodeUtf8: (bytes) => decoder.decode(bytes),
  encodeUtf8: (text) => encoder.encode(text),
  utf8Length,
  writeUtf8,
  encodeBase64,
  decodeBase64,
};
