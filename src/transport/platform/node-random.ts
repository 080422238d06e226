/**
 * What: cryptographic random bytes on Node, handed out from a pool that is filled rarely.
 * Must not know: what the bytes are for.
 */
import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import type { Random } from '../../base/port.ts';

/** One call of the generator costs about a microsecond whatever its length, so it is asked for much at a time. */
const POOL_BYTES = 8192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** The {@link Random} of Node. No byte is handed out twice, and a byte handed out is wiped from the pool. */
export const nodeRandom: Random = {
  fill(target: Uint8Array): void {
    const { length } = target;
    if (length > 64) {
      randomFillSync(target);
      return;
    }
    if (used + length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    for (let i = 0; i < length; i++) {
      target[i] = pool[used]!;
      pool[used++] = 0;
    }
  },
};
