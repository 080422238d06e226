/**
 * What: what both ends of the opening handshake share: headers as they come, and the proof in the answer.
 * Must not know: which end it is used by.
 */
import type { ByteCodec } from '../../base/port.ts';
import { sha1 } from '../../base/sha1.ts';

/**
 * Headers by name in lower case, as Node and `wire/http` give them. Of a header that came more than once, the
 * values are joined with a comma.
 */
export type HandshakeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Versions of the protocol that are spoken; 8 was the last draft and differs in one header's name. */
export const protocolVersions: readonly number[] = [8, 13];

/** RFC 6455 section 1.3: what is hashed with the key. */
const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The value of a header as one text. */
export function headerValue(headers: HandshakeHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

/** The Sec-WebSocket-Accept to a Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
export function acceptForKey(key: string, codec: ByteCodec): string {
  return codec.encodeBase64(sha1(codec.encodeUtf8(key + handshakeGuid)));
}
