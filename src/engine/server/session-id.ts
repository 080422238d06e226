/**
 * What: makes session ids that nobody can guess.
 * Must not know: sessions.
 */
import type { Random } from '../../base/port.ts';

/** 120 bits: whoever knows the id of a session can speak in its name, so it must not be found by trying. */
const ID_BYTES = 15;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const bytes = new Uint8Array(ID_BYTES);

/** Twenty characters of URL-safe base64. */
export function createSessionId(random: Random): string {
  random.fill(bytes);
  let id = '';
  for (let i = 0; i < ID_BYTES; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    id += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    id += ALPHABET.charAt((group >> 6) & 63) + ALPHABET.charAt(group & 63);
  }
  return id;
}
