/**
 * What: the packets in the body of a POST, and what is wrong with a body that holds none.
 * Must not know: sessions, and how the request is answered.
 */
import type { IncomingMessage } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import type { ByteCodec } from '../../base/port.ts';
import type { IncomingPacket } from '../../wire/engine/codec.ts';
import { decodePayload } from '../../wire/engine/payload.ts';
import type { PollingSettings } from './node-answer.ts';
import { readBody } from './node-body.ts';

/** Codes of the errors that this transport reports besides those of the codec. */
export const PollingError = {
  /** A second GET came while one was waiting: two programs use one session. */
  overlappingPoll: 'POLLING_ERR_OVERLAPPING_POLL',
  /** A second POST came while one was being read. */
  overlappingPost: 'POLLING_ERR_OVERLAPPING_POST',
  /** The client went away while its GET was waiting. */
  pollAborted: 'POLLING_ERR_POLL_ABORTED',
  /** The client went away in the middle of a POST. */
  postAborted: 'POLLING_ERR_POST_ABORTED',
  /** A body that is not text. */
  invalidContent: 'POLLING_ERR_INVALID_CONTENT',
  /** A body above the limit (`maxHttpBufferSize`). */
  bodyTooLarge: 'POLLING_ERR_BODY_TOO_LARGE',
} as const;

/** What a binary body is answered with. */
export const BINARY_BODY = 'A body must be text; binary packets are sent as base64 (b…).';

/** Binary bodies were a thing of protocol 3; since 4 binary travels as base64 in text. */
export function isBinaryBody(request: IncomingMessage): boolean {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/octet-stream';
}

/**
 * Collects the packets before the application sees one, so that its exceptions are not taken for the peer's.
 * @param isExtended whether the session extension was negotiated.
 * @returns what is wrong with the body; the packets before that were collected.
 */
export function decodeBody(
  codec: ByteCodec,
  body: Uint8Array,
  packets: IncomingPacket[],
  isExtended = false,
): PeerError | null {
  if (!codec.isUtf8(body)) {
    return new PeerError('The body is not UTF-8.', { code: PollingError.invalidContent });
  }
  try {
    decodePayload(codec.decodeUtf8(body), codec, (packet) => packets.push(packet), isExtended);
  } catch (error) {
    if (error instanceof PeerError) return error;
    throw error;
  }
  return null;
}

/** What came of a POST of a session that is counted. `null`: the client went away, and will send it again. */
export type PostResult = readonly IncomingPacket[] | PeerError | null;

/**
 * Reads the packets of a POST, those of the session extension included. Calls back exactly once.
 * @returns gives up: nothing is kept, and nobody is called back.
 */
export function readPackets(
  settings: PollingSettings,
  request: IncomingMessage,
  callback: (result: PostResult) => void,
): () => void {
  const { codec, bodyLimitBytes: value, bodyLimitName: name } = settings;
  if (isBinaryBody(request)) {
    callback(new PeerError(BINARY_BODY, { code: PollingError.invalidContent }));
    return () => {};
  }
  return readBody(request, value, (outcome, body) => {
    if (outcome === 'aborted') {
      callback(null);
    } else if (outcome === 'tooLarge') {
      const message = `The body is above the limit of ${value} bytes (${name}).`;
      callback(new PeerError(message, { code: PollingError.bodyTooLarge, limit: { name, value } }));
    } else {
      const packets: IncomingPacket[] = [];
      callback(decodeBody(codec, body, packets, true) ?? packets);
    }
  });
}
