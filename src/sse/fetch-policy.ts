/**
 * What: what the Fetch standard says of an EventSource's requests: header fields, credentials, CORS, what is a stream.
 * Must not know: connections, or when to reconnect.
 */
import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { hasBadPort } from '../base/bad-port.ts';
import type { TransportError } from '../base/transport-error.ts';
import { ACCEPT_ENCODING, streamError } from '../transport/sse/node-request.ts';

/** Who asks, and what may be told to whom. */
export interface FetchPolicy {
  readonly url: URL;
  /** The origin of the program; null: none was given, and no answer is checked. */
  readonly origin: string | null;
  readonly withCredentials: boolean;
  /** Those of the program. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What must not go to another origin. Fetch, "HTTP-redirect fetch" and credentials mode `same-origin`. */
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization']);

const COLON = Buffer.from(':');
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The header fields of a request. Names that the program gives win, but for the two that make it resumable. */
export function requestHeaders(policy: FetchPolicy, url: URL, lastEventId: string): Record<string, string> {
  const { withCredentials, headers: own } = policy;
  const isForeign = url.origin !== (policy.origin ?? policy.url.origin);
  const mayTell = !isForeign || withCredentials;
  const headers: Record<string, string> = {
    // WHATWG HTML 9.2.2 step 9: the only type that is wanted.
    accept: 'text/event-stream',
    'accept-encoding': ACCEPT_ENCODING,
    // Fetch, cache mode `no-store`: nobody on the way may answer from what was kept.
    'cache-control': 'no-cache',
    pragma: 'no-cache',
  };
  if (mayTell && (url.username !== '' || url.password !== '')) {
    const credentials = Buffer.concat([percentDecode(url.username), COLON, percentDecode(url.password)]);
    headers.authorization = `Basic ${credentials.toString('base64')}`;
  }
  for (const [name, value] of Object.entries(own)) {
    const lower = name.toLowerCase();
    // Fetch, "HTTP-redirect fetch": what was meant for one origin is not told to another.
    if (mayTell || !CREDENTIALS.has(lower)) headers[lower] = value;
  }
  if (policy.origin !== null && isForeign) headers.origin = policy.origin;
  // WHATWG HTML 9.2.3: the id is sent as UTF-8; Node writes headers as Latin-1, one byte a character.
  // Deviation: an id with control characters is left out, because Node throws for such a header.
  if (lastEventId !== '' && !CONTROL.test(lastEventId))
    headers['last-event-id'] = Buffer.from(lastEventId).toString('latin1');
  return headers;
}

/** A response that ends the EventSource for good. */
export class FatalResponse extends Error {
  readonly error: TransportError;

  constructor(error: TransportError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Judges a response or a redirect.
 * @returns null when it is acceptable; {@link FatalResponse} when the EventSource must not come back; any other error
 *   is a network error, after which it comes back.
 */
export function judge(
  policy: FetchPolicy,
  response: IncomingMessage,
  url: URL,
  target: URL | null,
): Error | null {
  const { statusCode = 0, headers } = response;
  // Fetch, "CORS check". A network error by the standard; as in Chromium, one that coming back does not mend.
  if (policy.origin !== null && url.origin !== policy.origin) {
    const allowed = headers['access-control-allow-origin'];
    const isAllowed = policy.withCredentials
      ? allowed === policy.origin && headers['access-control-allow-credentials'] === 'true'
      : allowed === '*' || allowed === policy.origin;
    if (!isAllowed) {
      const message = `${url.origin} does not allow ${policy.origin} (CORS)`;
      return new FatalResponse(streamError(message, 'TRANSPORT_ERR_PROTOCOL', response));
    }
  }
  if (target !== null) {
    if (hasBadPort(target)) {
      return streamError(`A redirect leads to port ${target.port}`, 'TRANSPORT_ERR_REFUSED', response);
    }
    // Fetch, "HTTP-redirect fetch": in mode `cors`, no credentials in the URL of another origin.
    if (target.origin !== url.origin && (target.username !== '' || target.password !== '')) {
      const message = 'A redirect to another origin brings credentials';
      return streamError(message, 'TRANSPORT_ERR_PROTOCOL', response);
    }
    return null;
  }
  // WHATWG HTML 9.2.2 step 15.3: any other status fails the connection, 204 and the 500s included.
  if (statusCode !== 200) {
    return new FatalResponse(streamError(`HTTP status ${statusCode}`, 'TRANSPORT_ERR_STATUS', response));
  }
  if (!isEventStream(headers['content-type'])) {
    const message = `Content-Type is ${headers['content-type'] ?? 'missing'}, not text/event-stream`;
    return new FatalResponse(streamError(message, 'TRANSPORT_ERR_PROTOCOL', response));
  }
  return null;
}

/** Fetch, "extract a MIME type": the last of several that is one; parameters do not matter here. */
function isEventStream(type: string | undefined): boolean {
  let last = '';
  for (const value of (type ?? '').split(',')) {
    const [essence = ''] = value.split(';', 1);
    const trimmed = essence.trim().toLowerCase();
    if (trimmed.includes('/') && trimmed !== '*/*') last = trimmed;
  }
  return last === 'text/event-stream';
}

/** WHATWG URL, "percent-decode": what is no escape stays as it is. */
function percentDecode(text: string): Buffer {
  const latin1 = text.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, 'latin1');
}
