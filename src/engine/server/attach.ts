/**
 * What: puts the engine beside whatever else listens on a Node HTTP server; each gets the requests of its own path.
 * Must not know: what the engine does with a request.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseUpgrade } from '../../transport/websocket/node-accept.ts';
import { isServerStream, takeExtendedConnects } from '../../transport/websocket/node-http2-accept.ts';
import type { AttachOptions } from './options.ts';

/** A server of `node:http`, `node:https` or `node:http2`, or anything that emits the same events. */
export type HttpServerLike = EventEmitter;

/** Who takes the requests of the path. */
export interface RequestTaker {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The HTTP server was closed. */
  close(): void;
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** The path as it is compared with the start of a request's URL. */
export function normalizePath({ path = '/engine.io', addTrailingSlash = true }: AttachOptions): string {
  const bare = path.replace(/\/$/, '');
  return addTrailingSlash ? `${bare}/` : bare;
}

/**
 * Takes the requests of the path, and leaves all others to the listeners that were there before (an Express app).
 * Listeners added later see every request, as with engine.io.
 */
export function attachTo(httpServer: HttpServerLike, taker: RequestTaker, options: AttachOptions): void {
  const path = normalizePath(options);
  const { destroyUpgrade = true, destroyUpgradeTimeout = 1000 } = options;
  const isOurs = (request: IncomingMessage): boolean => request.url?.startsWith(path) === true;

  const others = httpServer.listeners('request').slice() as RequestListener[];
  httpServer.removeAllListeners('request');
  httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isOurs(request)) taker.handleRequest(request, response);
    else for (const other of others) other.call(httpServer, request, response);
  });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isOurs(request)) taker.handleUpgrade(request, socket, head);
    else if (destroyUpgrade) destroyUnlessTaken(socket, destroyUpgradeTimeout);
  };
  httpServer.on('upgrade', upgrade);
  // RFC 8441: over HTTP/2, an extended CONNECT is what an upgrade is over HTTP/1.1.
  takeExtendedConnects(httpServer, upgrade);
  httpServer.on('close', () => taker.close());
}

/** Node leaves a socket open on which an upgrade was asked for that nobody answers; so it is ended here. */
function destroyUnlessTaken(socket: Duplex, timeoutMs: number): void {
  const { bytesWritten = 0 } = socket as Duplex & { readonly bytesWritten?: number };
  const timer = setTimeout(() => {
    const { bytesWritten: now = 0 } = socket as Duplex & { readonly bytesWritten?: number };
    if (!socket.writable || now > bytesWritten) return;
    if (isServerStream(socket)) {
      refuseUpgrade(socket, 404);
      return;
    }
    socket.on('error', () => {});
    socket.end(() => socket.destroy());
  }, timeoutMs);
  socket.once('close', () => clearTimeout(timer));
}
