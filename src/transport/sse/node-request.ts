/**
 * What: requests an event stream over node:http or node:https, follows redirects, and decodes the body to text.
 * Must not know: events, reconnection, sessions.
 */
import { Buffer } from 'node:buffer';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, constants as zlib } from 'node:zlib';
import { TransportError, type TransportErrorCode } from '../../base/transport-error.ts';

/** One request of a stream. */
export interface StreamRequest {
  readonly url: URL;
  /** Options of node:http and node:https, `headers` excepted. */
  readonly options: RequestOptions;
  /** The header fields for a URL: another one after a redirect. */
  headers(url: URL): Record<string, string>;
  /**
   * Decides about a response that is no redirect, and about each redirect (`target` is then where it leads).
   * @returns why it is not acceptable, or null.
   */
  check(response: IncomingMessage, url: URL, target: URL | null): Error | null;
  /** Milliseconds without a byte after which the server is given up; 0: none. */
  readonly silenceTimeoutMs: number;
}

/** Told what happens. Never from within `requestStream`; nothing is told after it was given up. */
export interface StreamListener {
  /** The headers are there and acceptable. `url` is where the redirects led. */
  streamOpened(response: IncomingMessage, url: URL): void;
  /** Decoded text, a byte order mark included. What it throws ends the stream as an error. */
  streamReceived(text: string): void;
  /** Last, once: `null` when the server ended the response in an orderly way. */
  streamEnded(error: Error | null): void;
}

/** Fetch, "HTTP-redirect fetch": after so many it is a network error. */
const MOST_REDIRECTS = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Fetch, "HTTP-network fetch": what browsers take, RFC 9110 section 8.4.1. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/**
 * Sends the request.
 * @returns gives up at once, silently.
 */
export function requestStream(stream: StreamRequest, listener: StreamListener): () => void {
  let isOver = false;
  let request: ClientRequest | null = null;
  let redirects = 0;

  const end = (error: Error | null): void => {
    if (isOver) return;
    isOver = true;
    request?.destroy();
    listener.streamEnded(error);
  };

  const read = (response: IncomingMessage): void => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const body = decompressed(response);
    const take = (text: string): void => {
      if (isOver || text === '') return;
      try {
        listener.streamReceived(text);
      } catch (error) {
        end(error as Error);
      }
    };
    body.on('data', (chunk: Uint8Array) => take(decoder.decode(chunk, { stream: true })));
    body.on('end', () => {
      take(decoder.decode());
      end(null);
    });
    body.on('error', end);
    // The connection broke in the middle: there is `aborted` and `close`, with `error` or without.
    response.on('error', end);
    response.on('close', () => {
      if (!response.complete) end(new Error('The connection was cut in the middle of the stream'));
    });
  };

  const respond = (response: IncomingMessage, url: URL): void => {
    if (isOver) return;
    const { statusCode = 0, headers } = response;
    let target: URL | null = null;
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      target = redirectTarget(headers.location, url);
      if (target === null || ++redirects > MOST_REDIRECTS) {
        end(protocolError(target === null ? 'A redirect leads to no URL' : 'Too many redirects', response));
        return;
      }
    }
    const refusal = stream.check(response, url, target);
    if (refusal !== null) {
      end(refusal);
    } else if (target !== null) {
      request?.destroy();
      try {
        start(target);
      } catch (error) {
        end(error as Error);
      }
    } else {
      listener.streamOpened(response, url);
      if (!isOver) read(response);
    }
  };

  const start = (url: URL): void => {
    // Credentials of the URL are sent by `headers`, which knows where they may go.
    const address = new URL(url);
    address.username = '';
    address.password = '';
    const sent = (url.protocol === 'https:' ? https : http).request(address, {
      ...stream.options,
      method: 'GET',
      headers: stream.headers(url),
    });
    request = sent;
    // After a redirect the old request may still say that it was cut.
    const isCurrent = (): boolean => !isOver && request === sent;
    let isAnswered = false;
    sent.on('response', (response) => {
      isAnswered = true;
      if (isCurrent()) respond(response, url);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (!isCurrent()) return;
      // Node's documentation of `request.reusedSocket`: the server may close an idle connection at the moment at
      // which the next request is written to it. It was never read, so it is asked again.
      if (error.code === 'ECONNRESET' && sent.reusedSocket && !isAnswered) start(url);
      else end(error);
    });
    const { silenceTimeoutMs } = stream;
    if (silenceTimeoutMs > 0) {
      sent.setTimeout(silenceTimeoutMs, () => {
        if (!isCurrent()) return;
        const message = `The server was silent for ${silenceTimeoutMs} ms`;
        end(streamError(message, 'TRANSPORT_ERR_TIMEOUT'));
      });
    }
    sent.end();
  };

  start(stream.url);
  return () => {
    isOver = true;
    request?.destroy();
  };
}

/** An error of an event stream, as transports report theirs. */
export function streamError(
  message: string,
  code: TransportErrorCode,
  response?: IncomingMessage,
  cause?: unknown,
): TransportError {
  return new TransportError(message, {
    transport: 'sse',
    step: 'open',
    code,
    description: response?.statusCode,
    context: response,
    cause,
  });
}

function protocolError(message: string, response: IncomingMessage): TransportError {
  return streamError(message, 'TRANSPORT_ERR_PROTOCOL', response);
}

/** Fetch, "location URL": null when it is none, or leads out of HTTP. A fragment is inherited. */
function redirectTarget(location: string, url: URL): URL | null {
  let target: URL;
  try {
    // Node reads headers as Latin-1; browsers take the bytes of a Location for UTF-8.
    target = new URL(Buffer.from(location, 'latin1').toString('utf8'), url);
  } catch {
    return null;
  }
  if (target.protocol !== 'http:' && target.protocol !== 'https:') return null;
  if (target.hash === '') target.hash = url.hash;
  return target;
}

/** What is compressed comes out piece by piece, as the server flushes it. */
function decompressed(response: IncomingMessage): IncomingMessage | Transform {
  const coding = response.headers['content-encoding']?.trim().toLowerCase();
  const flush = { flush: zlib.Z_SYNC_FLUSH };
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return response.pipe(createGunzip(flush));
    case 'deflate':
      return response.pipe(createInflate(flush));
    case 'br':
      return response.pipe(createBrotliDecompress({ flush: zlib.BROTLI_OPERATION_FLUSH }));
    default:
      return response;
  }
}
