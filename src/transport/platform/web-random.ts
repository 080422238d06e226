/**
 * What: the port Random over the Web Crypto API, which Node has too.
 * Must not know: what the bytes are for.
 */
import type { Random } from '../../base/port.ts';

/** Cryptographic randomness of the platform. */
export const webRandom: Random = {
  fill(target) {
    crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);
  },
};
