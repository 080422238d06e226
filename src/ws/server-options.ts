/**
 * What: what a WebSocketServer may be told, and what it tells.
 * Must not know: what the server makes of it.
 */
import type { Server as HttpServer, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { CommonOptions } from './options.ts';
import type { WebSocket } from './websocket.ts';

/** What `verifyClient` judges by. */
export interface ClientInfo<R extends IncomingMessage = IncomingMessage> {
  readonly origin: string;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  readonly req: R;
}

/** Says whether a client may connect; refused with 401. */
export type VerifyClientCallbackSync<R extends IncomingMessage = IncomingMessage> = (
  info: ClientInfo<R>,
) => boolean;

/** How a client is refused: status (401), body (the status' text) and further headers. */
export type VerifyClientResult = (
  result: boolean,
  code?: number,
  message?: string,
  headers?: OutgoingHttpHeaders,
) => void;

/** As the above, later, by calling back. */
export type VerifyClientCallbackAsync<R extends IncomingMessage = IncomingMessage> = (
  info: ClientInfo<R>,
  callback: VerifyClientResult,
) => void;

/** What a `WebSocketServer` can be told: one of `port`, `server` and `noServer`, and how it serves. */
export interface ServerOptions<
  S extends typeof WebSocket = typeof WebSocket,
  R extends typeof IncomingMessage = typeof IncomingMessage,
> extends CommonOptions {
  /** Listen here with a server of its own. Exactly one of `port`, `server` and `noServer` is given. */
  readonly port?: number | null | undefined;
  readonly host?: string | null | undefined;
  readonly backlog?: number | null | undefined;
  /**
   * Take the upgrades of this server, which stays the caller's. Of a server of `node:http2`, WebSockets over HTTP/2
   * too: their request is an `Http2ServerRequest`.
   */
  readonly server?: HttpServer<R> | HttpsServer<R> | Http2SecureServer | Http2Server | null | undefined;
  /** Listen nowhere; the caller calls `handleUpgrade`. */
  readonly noServer?: boolean | undefined;
  /** Accept this path only. Default: any. */
  readonly path?: string | null | undefined;
  /** Whether `clients` is kept. Default true. */
  readonly clientTracking?: boolean | undefined;
  /** Chooses a subprotocol; default: the first that the client offers. */
  readonly handleProtocols?:
    | ((protocols: Set<string>, request: InstanceType<R>) => string | false)
    | null
    | undefined;
  /**
   * Says whether a client may connect: by what it returns or, when it takes a second argument, by calling that.
   * A {@link VerifyClientCallbackSync} or a {@link VerifyClientCallbackAsync}.
   */
  readonly verifyClient?:
    | ((info: ClientInfo<InstanceType<R>>, callback: VerifyClientResult) => unknown)
    | null
    | undefined;
  /** The class of server-side sockets. */
  readonly WebSocket?: S | undefined;
}

/** How `broadcast()` sends, and to whom. */
export interface BroadcastOptions<S> {
  /** Default: whether `data` is not a string or number. */
  readonly binary?: boolean | undefined;
  /** Whether to compress where that was agreed on. Default true. */
  readonly compress?: boolean | undefined;
  /** Who gets it. Default: all clients. */
  readonly to?: Iterable<S> | undefined;
  /** Who does not. */
  readonly except?: S | ReadonlySet<S> | undefined;
  /** As in `send`, for the policy `keep-latest`. */
  readonly key?: string | undefined;
}

/** How a server lets its clients go, for instance when a new version is deployed. */
export interface DrainOptions {
  /** How many clients at a time. Default 100. */
  readonly batch?: number | undefined;
  /** How long after one batch comes the next, in ms. Default 1000. */
  readonly intervalMs?: number | undefined;
  /** The close code. Default 1012: the service restarts. */
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
}

/** The events of a {@link WebSocketServer} and the arguments of their listeners. */
export interface ServerEvents<S, R> {
  /** A client has connected. */
  connection: [socket: S, request: R];
  /** The lines of the answer before it is sent, the status first; push more to add some. */
  headers: [lines: string[], request: R];
  listening: [];
  /** The server is closed; clients may still be connected. */
  close: [];
  error: [error: Error];
  /**
   * A handshake failed. With a listener, the socket is the listener's to answer and end. Over HTTP/2 it is a stream
   * whose status and headers were sent already; what is written becomes the body.
   */
  wsClientError: [error: Error, socket: Duplex, request: R];
}
