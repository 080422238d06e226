/**
 * What: makes the ids of sockets and recoverable sessions: 20 characters that nobody can guess.
 * Must not know: what they are ids of.
 */
import { nodeByteCodec } from '../transport/platform/node-byte-codec.ts';
import { nodeRandom } from '../transport/platform/node-random.ts';

// 15 bytes are 120 bits, and whole base64 groups: no padding.
const bytes = nodeByteCodec.allocate(15);

/** A new id of 20 characters of the URL-safe base64 alphabet (RFC 4648 section 5). */
export function createId(): string {
  nodeRandom.fill(bytes);
  return nodeByteCodec.encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_');
}
