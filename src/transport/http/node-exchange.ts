/**
 * What: one HTTP exchange in Node, over node:http and node:https with their TLS options, an agent, headers and cookies.
 * Must not know: sessions, what the bodies mean, or for which transport it is.
 */
import { Buffer } from 'node:buffer';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { PeerError } from '../../base/errors.ts';
import { explainSystemError } from '../../base/system-error.ts';
import type { TransportErrorCode } from '../../base/transport-error.ts';
import type { ClientTransportOptions } from '../port.ts';
import { EVENT_STREAM, type Exchange } from './client.ts';

const DEFAULT_ANSWER_BYTES = 100 * 1024 * 1024;

/** Text that comes in pieces. However many and small these are, it costs at most three times its bytes. */
class GrowingText {
  bytes = 0;
  #buffer: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    const end = this.bytes + chunk.length;
    if (this.bytes === 0) this.#buffer = chunk;
    else {
      if (end > this.#buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.bytes));
        this.#buffer.copy(larger, 0, 0, this.bytes);
        this.#buffer = larger;
      }
      chunk.copy(this.#buffer, this.bytes);
    }
    this.bytes = end;
  }

  text(): string {
    return this.#buffer.toString('utf8', 0, this.bytes);
  }
}

/** What of a client's options node:https takes; an option that is not given must not be there at all. */
export function requestOptions(options: ClientTransportOptions): RequestOptions {
  const { pfx, key, passphrase, cert, ca, ciphers, rejectUnauthorized, agent } = options;
  const given = Object.entries({ pfx, key, passphrase, cert, ca, ciphers, rejectUnauthorized, agent });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** Carries out an exchange over node:http. */
export const nodeExchange: Exchange = (target, body, _isLast, done, received) => {
  const { answerLimitBytes = DEFAULT_ANSWER_BYTES, extraHeaders, requestTimeout, autoUnref } = target.options;
  const url = target.url(body !== undefined);
  const cookie = target.cookies?.header();
  const headers: Record<string, string | number> = {
    accept: received ? EVENT_STREAM : '*/*',
    ...(cookie && { cookie }),
    ...extraHeaders,
  };
  if (body !== undefined) {
    headers['content-type'] = 'text/plain;charset=UTF-8';
    headers['content-length'] = Buffer.byteLength(body);
  }
  let request: ClientRequest;
  let isDone = false;
  let failure: { code?: TransportErrorCode; cause?: unknown } = {};

  const finish = (response: IncomingMessage | undefined, text: string) => {
    if (isDone) return;
    isDone = true;
    timer?.cancel();
    done({
      status: failure.cause ? 0 : (response?.statusCode ?? 0),
      text,
      context: response ?? request,
      ...failure,
    });
  };

  const fail = (cause: Error, code = explainSystemError(cause)) => {
    failure = { cause, code };
    finish(undefined, '');
  };

  const start = () => {
    request = (url.startsWith('https') ? https : http).request(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...requestOptions(target.options),
    });
    request.on('response', (response) => {
      target.cookies?.store(response.headers['set-cookie'] ?? []);
      if (received && response.statusCode === 200 && isEventStream(response)) {
        timer?.cancel();
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          if (!isDone) received(chunk);
        });
        response.on('end', () => finish(response, ''));
      } else {
        const answer = new GrowingText();
        response.on('data', (chunk: Buffer) => {
          answer.add(chunk);
          if (answerLimitBytes === 0 || answer.bytes <= answerLimitBytes) return;
          fail(tooLong(answerLimitBytes), 'TRANSPORT_ERR_LIMIT');
          request.destroy();
        });
        response.on('end', () => finish(response, answer.text()));
      }
      response.on('error', (error) => fail(error));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // Node's documentation of `request.reusedSocket`: the server may close an idle connection at the moment at
      // which the next request is written to it. A GET is asked again; a POST may have been read before the cut
      // (RFC 9110 section 9.2.2), which is no matter where its messages are counted.
      const mayRepeat = body === undefined || target.isExtended;
      if (error.code === 'ECONNRESET' && request.reusedSocket && !isDone && mayRepeat) start();
      else fail(error);
    });
    if (autoUnref) request.on('socket', (socket) => socket.unref());
    request.end(body);
  };

  const timer = requestTimeout
    ? target.clock.setTimer(requestTimeout, () => {
        fail(new Error(`No answer within ${requestTimeout} ms`), 'TRANSPORT_ERR_TIMEOUT');
        request.destroy();
      })
    : undefined;
  start();
  return () => {
    isDone = true;
    timer?.cancel();
    request.destroy();
  };
};

function tooLong(value: number): PeerError {
  return new PeerError(
    `The server's answer to one request is above ${value} bytes: send less at once there, or raise answerLimitBytes here`,
    { code: 'POLLING_ERR_ANSWER_TOO_LARGE', limit: { name: 'answerLimitBytes', value } },
  );
}

function isEventStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith(EVENT_STREAM) === true;
}
