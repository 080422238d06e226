/**
 * What: runs Express-style middlewares over a request, and lets them work on WebSocket handshakes too.
 * Must not know: what the middlewares do, and what comes after them.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';

/** As in Express: answers the request, or calls `next`, with an error if the request is not to go on. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Calls one middleware after the other. `done` is called once at most: not at all when one of them has answered.
 * What a middleware throws is an error of the request, as in Express.
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  request: IncomingMessage,
  response: ServerResponse,
  done: (error?: unknown) => void,
): void {
  const step = (index: number): void => {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      done();
      return;
    }
    let wasCalled = false;
    const next = (error?: unknown): void => {
      if (wasCalled) return;
      wasCalled = true;
      if (error) done(error);
      else step(index + 1);
    };
    try {
      middleware(request, response, next);
    } catch (error) {
      next(error ?? new Error('A middleware threw nothing.'));
    }
  };
  step(0);
}

/** The response of a WebSocket handshake while middlewares look at it. */
export interface HandshakeResponse extends ServerResponse {
  /** Ends the part of this response and gives the header lines for the answer to the handshake. */
  takeHeaderLines(): string[];
}

/** Headers as the lines that they would be over HTTP/1.1. */
export function toHeaderLines(headers: OutgoingHttpHeaders): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return lines;
}

/**
 * A response for a handshake on a bare socket: a middleware that answers with it answers the handshake; one that
 * sets headers adds them to the `101`.
 */
export class UpgradeResponse extends ServerResponse implements HandshakeResponse {
  readonly #socket: Duplex;

  constructor(request: IncomingMessage, socket: Duplex) {
    super(request);
    this.#socket = socket;
    this.shouldKeepAlive = false;
    if (socket instanceof NetSocket) {
      this.assignSocket(socket);
      this.once('finish', () => {
        this.detachSocket(socket);
        socket.end();
      });
    }
  }

  takeHeaderLines(): string[] {
    // Libraries that add headers late (sessions, timings) hook into `writeHead`. Nothing is sent by it.
    this.writeHead(200);
    this.removeAllListeners('finish');
    if (this.#socket instanceof NetSocket) this.detachSocket(this.#socket);
    return toHeaderLines(this.getHeaders());
  }
}
