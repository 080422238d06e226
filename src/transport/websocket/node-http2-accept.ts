/**
 * What: the server's side of WebSocket over HTTP/2 (RFC 8441): finds extended CONNECTs, answers or refuses them.
 * Must not know: who wants them, how a handshake is checked, or what is done with the connection.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
  Settings,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { NodeConnectionOptions } from './node-connection.ts';
import { cancelStream, Http2Connection } from './node-http2-connection.ts';
import { addHeader, toHttp2Headers } from './node-http2-headers.ts';

/**
 * Takes an extended CONNECT as it would take an upgrade: `stream` is in the place of the socket.
 * @param request has what is read of an `IncomingMessage`; it is the `Http2ServerRequest`.
 */
export type ConnectTaker = (request: IncomingMessage, stream: ServerHttp2Stream, head: Buffer) => void;

const nothing = Buffer.alloc(0);

/** Whether the "socket" of a handshake is a stream of HTTP/2, of the server's side. */
export function isServerStream(socket: Duplex): socket is ServerHttp2Stream {
  return typeof (socket as Partial<ServerHttp2Stream>).respond === 'function';
}

/** A server of `node:http2`; others do not have settings. */
type Http2ServerLike = EventEmitter & { updateSettings(settings: Settings): void };

function isHttp2Server(server: EventEmitter): server is Http2ServerLike {
  return typeof (server as Partial<Http2ServerLike>).updateSettings === 'function';
}

/**
 * All who take WebSockets of one server. There is one gate, because Node answers a CONNECT with 405 only as long as
 * nobody listens for `connect`, and that must stay so for those that are not for us.
 */
class Gate {
  readonly #server: Http2ServerLike;
  readonly #takers: ConnectTaker[] = [];
  /** Streams of which both events have been, or will be, seen. */
  readonly #offered = new WeakSet<ServerHttp2Stream>();

  constructor(server: Http2ServerLike) {
    this.#server = server;
  }

  add(taker: ConnectTaker): void {
    this.#takers.push(taker);
    if (this.#takers.length > 1) return;
    // RFC 8441 section 3: without SETTINGS_ENABLE_CONNECT_PROTOCOL no client may ask. It holds for sessions to come, and
    // is left on, because it must not be taken back in a session.
    this.#server.updateSettings({ enableConnectProtocol: true });
    this.#server.on('stream', this.#onStream);
    this.#server.on('connect', this.#onConnect);
  }

  remove(taker: ConnectTaker): void {
    const index = this.#takers.indexOf(taker);
    if (index === -1) return;
    this.#takers.splice(index, 1);
    if (this.#takers.length > 0) return;
    this.#server.off('stream', this.#onStream);
    this.#server.off('connect', this.#onConnect);
  }

  /** For servers of which nobody wants `request`: Node makes requests and emits `connect` only when somebody does. */
  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: string[],
  ): void => {
    if (!isForUs(headers) || this.#server.listenerCount('request') > 0) return;
    // Whoever has a server of HTTP/2 has loaded the module.
    const { Http2ServerRequest } = process.getBuiltinModule('node:http2');
    this.#offer(new Http2ServerRequest(stream, headers, {}, rawHeaders), stream);
  };

  readonly #onConnect = (
    request: Http2ServerRequest | IncomingMessage,
    answer: Http2ServerResponse | Duplex,
  ): void => {
    if ('stream' in request && isForUs(request.headers)) {
      this.#offer(request, request.stream as ServerHttp2Stream);
      return;
    }
    // Not for us. What Node does when nobody listens is to be done when nobody else does.
    if (this.#server.listenerCount('connect') > 1) return;
    if ('stream' in request) {
      const response = answer as Http2ServerResponse;
      response.statusCode = 405;
      response.end();
    } else {
      // A CONNECT of HTTP/1.1, on a server that allows it.
      (answer as Duplex).destroy();
    }
  };

  #offer(request: Http2ServerRequest, stream: ServerHttp2Stream): void {
    if (this.#offered.has(stream)) return;
    this.#offered.add(stream);
    // END_STREAM is the end of TCP (RFC 8441 section 5): half a connection is none.
    if (stream.endAfterHeaders) {
      refuseConnect(stream, 400, 'The request ended the stream', {});
      return;
    }
    for (const taker of [...this.#takers]) {
      // Somebody has answered.
      if (stream.headersSent || stream.destroyed) return;
      taker(request as unknown as IncomingMessage, stream, nothing);
    }
  }
}

function isForUs(headers: IncomingHttpHeaders): boolean {
  return headers[':method'] === 'CONNECT' && headers[':protocol'] === 'websocket';
}

const gates = new WeakMap<EventEmitter, Gate>();

/**
 * Gives `taker` the WebSockets that come to a server of `node:http2` over HTTP/2; does nothing for other servers.
 * Clients that are connected already were not told that they may ask, and go on with HTTP/1.1.
 * @returns to be called to get no more.
 */
export function takeExtendedConnects(server: EventEmitter, taker: ConnectTaker): () => void {
  if (!isHttp2Server(server)) return () => {};
  let gate = gates.get(server);
  if (gate === undefined) {
    gate = new Gate(server);
    gates.set(server, gate);
  }
  const found = gate;
  found.add(taker);
  return () => found.remove(taker);
}

/**
 * Answers 200 and makes the connection.
 * @param lines of the answer, as they would be sent over HTTP/1.1; the first is not looked at.
 * @throws {TypeError} of Node for a line that is no header.
 */
export function answerConnect(
  stream: ServerHttp2Stream,
  lines: readonly string[],
  options: NodeConnectionOptions,
  subprotocol: string,
): Http2Connection {
  const headers: OutgoingHttpHeaders = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    addHeader(headers, line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim());
  }
  stream.respond({ ...headers, ':status': 200 });
  return new Http2Connection(stream, options, subprotocol);
}

/**
 * Sends the status and the headers of a refusal; the body is to be written to the stream.
 * @returns false when somebody has answered, or the stream is gone.
 */
export function beginRefusal(
  stream: ServerHttp2Stream,
  status: number,
  headers: OutgoingHttpHeaders,
): boolean {
  if (stream.headersSent || stream.closed || stream.destroyed) return false;
  stream.respond({ ...toHttp2Headers(headers), ':status': status });
  return true;
}

/** Refuses an extended CONNECT, unless somebody has answered it. */
export function refuseConnect(
  stream: ServerHttp2Stream,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders,
): void {
  // Nobody else listens: an error on the way is nobody's concern any more.
  stream.on('error', () => cancelStream(stream));
  // RFC 9113 section 8.1: a complete answer, and nothing more is read; Node sends RST_STREAM with NO_ERROR.
  if (beginRefusal(stream, status, headers)) stream.end(body);
}
