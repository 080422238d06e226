/**
 * What: answers to polls and POSTs: packets or a refusal as an HTTP response, compressed where it is worth it.
 * Must not know: sessions, and when something is answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteCodec, Clock } from '../../base/port.ts';
import type { OutgoingPacket } from '../../wire/engine/packet.ts';
import { encodePayload } from '../../wire/engine/payload.ts';
import { chooseEncoding, type PollCompression } from './node-compression.ts';

/** Headers of a response before it is sent; listeners may add to them. */
export type ResponseHeaders = Record<string, string | number | string[]>;

/** What all polling transports of a server share. */
export interface PollingSettings {
  readonly codec: ByteCodec;
  readonly clock: Clock;
  /** Largest body of a POST, in bytes. */
  readonly bodyLimitBytes: number;
  /** The option's name, for error messages. */
  readonly bodyLimitName: string;
  /** A POST is answered within this time, in ms, even if not all of it could be taken. */
  readonly answerWithinMs: number;
  /** How long a closed transport waits for the poll by which the client is told. */
  readonly closeTimeoutMs: number;
  /** `null`: answers are never compressed. */
  readonly compression: PollCompression | null;
  /** Called with the headers of each answer that is not a refusal, before they are sent. */
  readonly onHeaders: (headers: ResponseHeaders, request: IncomingMessage, sid: string) => void;
}

const PACKETS_TYPE = 'text/plain; charset=UTF-8';

/** Answers with packets, as one payload. */
export function answerPackets(
  settings: PollingSettings,
  response: ServerResponse,
  sid: string,
  packets: readonly OutgoingPacket[],
): void {
  const { codec, compression } = settings;
  const text = encodePayload(packets, codec);
  const chosen = compression === null ? null : chooseEncoding(compression, response.req, text, packets);
  if (chosen === null) {
    respond(settings, response, sid, 200, PACKETS_TYPE, text);
    return;
  }
  chosen.compress(codec.encodeUtf8(text), (error, bytes) => {
    if (error === null) respond(settings, response, sid, 200, PACKETS_TYPE, bytes, chosen.name);
    else respond(settings, response, sid, 200, PACKETS_TYPE, text);
  });
}

/** Answers that the request cannot be taken; code 3 is Engine.IO's "bad request". */
export function refuse(
  settings: PollingSettings,
  response: ServerResponse,
  sid: string,
  status: number,
  message: string,
): void {
  respond(settings, response, sid, status, 'application/json', JSON.stringify({ code: 3, message }));
}

/** Answers, unless there is an answer already, or nobody to hear it. */
export function respond(
  settings: PollingSettings,
  response: ServerResponse,
  sid: string,
  status: number,
  type: string,
  body: string | Uint8Array,
  encoding?: string,
): void {
  if (response.destroyed || response.headersSent) return;
  const { codec, onHeaders } = settings;
  const headers: ResponseHeaders = {
    'Content-Type': type,
    'Content-Length': typeof body === 'string' ? codec.utf8Length(body) : body.length,
    'Cache-Control': 'no-store',
  };
  if (encoding !== undefined) headers['Content-Encoding'] = encoding;
  if (status === 200) onHeaders(headers, response.req, sid);
  response.writeHead(status, headers);
  response.end(body);
}
