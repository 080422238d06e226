/**
 * What: the class WebSocketServer as programs written for `ws` know it: who may connect, who is connected.
 * Must not know: frames, and how a handshake is checked (transport/websocket/node-accept.ts).
 */
import type { EventEmitter } from 'node:events';
import {
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type AcceptSettings,
  checkUpgrade,
  completeUpgrade,
  type HandshakePlan,
  refuseUpgrade,
} from '../transport/websocket/node-accept.ts';
import {
  beginRefusal,
  isServerStream,
  takeExtendedConnects,
} from '../transport/websocket/node-http2-accept.ts';
import { isBound } from '../transport/websocket/node-socket.ts';
import { UpgradeServer } from '../transport/websocket/node-upgrade-server.ts';
import type { BlobLike } from '../transport/websocket/send-queue.ts';
import { SharedMessage } from '../transport/websocket/shared-message.ts';
import { type SendData, toPayload } from './data.ts';
import type { SendStatistics } from './held-messages.ts';
import { toDeflateSettings, toSessionOptions, toShellSettings } from './options.ts';
import type {
  BroadcastOptions,
  ClientInfo,
  DrainOptions,
  ServerEvents,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
} from './server-options.ts';
import { TypedEmitter } from './typed-emitter.ts';
import { attachConnection, kSessionOptions, sessionOfSocket, WebSocket } from './websocket.ts';

const State = { running: 0, closing: 1, closed: 2 } as const;
type State = (typeof State)[keyof typeof State];

function ignoreError(this: Duplex): void {
  this.destroy();
}

/** Answers who did not ask for an upgrade. */
function answerUpgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  const body = STATUS_CODES[426]!;
  response.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' });
  response.end(body);
}

/**
 * Accepts WebSocket connections on a port, on an existing HTTP server, or from upgrades handed to it.
 *
 * @example
 * const server = new WebSocketServer({ port: 8080 });
 * server.on('connection', (socket) => {
 *   socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
 * });
 */
export class WebSocketServer<
  S extends typeof WebSocket = typeof WebSocket,
  R extends typeof IncomingMessage = typeof IncomingMessage,
> extends TypedEmitter<ServerEvents<InstanceType<S>, InstanceType<R>>> {
  /** The options with their defaults. */
  readonly options: ServerOptions<S, R>;
  /** Who is connected; undefined with `clientTracking: false`. */
  readonly clients!: Set<InstanceType<S>>;
  /** The HTTP server in use; null in `noServer` mode and after `close`. */
  _server: NonNullable<ServerOptions<S, R>['server']> | null = null;
  #state: State = State.running;
  #closesWithLastClient = false;
  readonly #accept: AcceptSettings;
  #removeListeners: () => void = () => {};
  readonly #statistics: SendStatistics = { droppedMessages: 0, droppedBytes: 0 };
  readonly #keeper = { forget: (client: WebSocket) => this.#forget(client) };

  /**
   * @param callback called when it listens; with `port` only.
   * @throws {TypeError} unless exactly one of `port`, `server` and `noServer` is given.
   */
  constructor(options?: ServerOptions<S, R>, callback?: () => void) {
    super();
    const chosen: ServerOptions<S, R> = {
      allowSynchronousEvents: true,
      autoPong: true,
      maxBufferedChunks: 0,
      maxFragments: 0,
      maxPayload: 100 * 1024 * 1024,
      skipUTF8Validation: false,
      perMessageDeflate: false,
      handleProtocols: null,
      clientTracking: true,
      closeTimeout: 30_000,
      verifyClient: null,
      noServer: false,
      backlog: null,
      server: null,
      host: null,
      path: null,
      port: null,
      WebSocket: WebSocket as S,
      ...options,
    };
    const hasPort = chosen.port !== null && chosen.port !== undefined;
    if (Number(hasPort) + Number(Boolean(chosen.server)) + Number(Boolean(chosen.noServer)) !== 1) {
      throw new TypeError(
        'One and only one of the "port", "server", or "noServer" options must be specified',
      );
    }
    this.options = chosen;
    Object.defineProperty(chosen, kSessionOptions, { value: toSessionOptions(chosen, [this.#statistics]) });
    this.#accept = {
      ...toShellSettings(chosen),
      deflate: toDeflateSettings(chosen.perMessageDeflate, false),
    };
    if (chosen.clientTracking) this.clients = new Set();
    if (hasPort) {
      const server = new UpgradeServer(answerUpgradeRequired);
      this._server = server as unknown as HttpServer<R>;
      this.#listenTo(this._server);
      server.listen(
        chosen.port ?? undefined,
        chosen.host ?? undefined,
        chosen.backlog ?? undefined,
        callback,
      );
    } else if (chosen.server) {
      this._server = chosen.server;
      this.#listenTo(chosen.server);
    }
  }

  #listenTo(emitter: EventEmitter): void {
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.handleUpgrade(request as InstanceType<R>, socket, head, (client, accepted) =>
        this.emit('connection', client, accepted),
      );
    const listeners = {
      listening: () => this.emit('listening'),
      error: (error: Error) => this.emit('error', error),
      upgrade,
    };
    for (const [event, listener] of Object.entries(listeners)) emitter.on(event, listener);
    const takeNoMore = takeExtendedConnects(emitter, upgrade);
    this.#removeListeners = () => {
      takeNoMore();
      for (const [event, listener] of Object.entries(listeners)) emitter.removeListener(event, listener);
    };
  }

  /**
   * Where the server listens; null after `close`.
   * @throws {Error} in `noServer` mode.
   */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this._server === null ? null : this._server.address();
  }

  /**
   * Accepts nobody any more. Connected clients stay; a server of its own emits `close` when the last has gone.
   * @param callback called with `close`; with an error when the server was closed before.
   */
  close(callback?: (error?: Error) => void): void {
    if (this.#state === State.closed) {
      if (callback !== undefined) this.once('close', () => callback(new Error('The server is not running')));
      process.nextTick(() => this.#finish());
      return;
    }
    if (callback !== undefined) this.once('close', () => callback());
    if (this.#state === State.closing) return;
    this.#state = State.closing;
    const server = this._server;
    this._server = null;
    this.#removeListeners();
    if (server !== null && !this.options.server) server.close(() => this.#finish());
    else if (this.clients !== undefined && this.clients.size > 0) this.#closesWithLastClient = true;
    else process.nextTick(() => this.#finish());
  }

  #finish(): void {
    this.#state = State.closed;
    this.emit('close');
  }

  /** Whether a request is for this server: its path, without the query, is the `path` option. May be overridden. */
  shouldHandle(request: InstanceType<R>): boolean {
    const { path } = this.options;
    if (!path) return true;
    const url = request.url ?? '';
    const end = url.indexOf('?');
    return (end === -1 ? url : url.slice(0, end)) === path;
  }

  /**
   * Sends a message to all clients, or some of them: framed once, compressed once per set of parameters.
   * @returns how many clients it was sent to: those that are open.
   * @throws {Error} with `clientTracking: false` and no `to`.
   */
  broadcast(data: Exclude<SendData, BlobLike>, options: BroadcastOptions<InstanceType<S>> = {}): number {
    const { except, compress = true, binary } = options;
    const to: Iterable<WebSocket> | undefined = options.to ?? this.clients;
    if (to === undefined) throw new Error('Without client tracking, `to` must say who gets a broadcast');
    const isBinary = binary ?? (typeof data !== 'string' && typeof data !== 'number');
    const message = new SharedMessage(toPayload(data), isBinary);
    let count = 0;
    for (const client of to) {
      if (except === client || (except instanceof Set && except.has(client as InstanceType<S>))) continue;
      if (sessionOfSocket(client).sendShared(message, compress, options.key)) count++;
    }
    return count;
  }

  /**
   * Accepts nobody any more and closes the connected clients batch by batch, so that they do not all come back at
   * once to wherever they connect next.
   * @returns resolves when all have gone and the server is closed.
   * @throws {Error} (rejects) with `clientTracking: false`, or for a `batch` that is not at least 1.
   */
  async drain({ batch = 100, intervalMs = 1000, code = 1012, reason }: DrainOptions = {}): Promise<void> {
    if (this.clients === undefined) throw new Error('A server without client tracking cannot drain');
    // A batch of nobody would never come to an end.
    if (!(batch >= 1)) throw new RangeError(`A batch has at least one client, not ${batch}`);
    const closed = new Promise<void>((resolve) => this.close(() => resolve()));
    const clients = [...this.clients];
    for (let i = 0; i < clients.length; i += batch) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, intervalMs));
      for (const client of clients.slice(i, i + batch)) client.close(code, reason);
    }
    await closed;
    // The HTTP server may see the last connection end before its WebSocket does.
    await Promise.all(
      [...this.clients].map((client) => new Promise((resolve) => client.once('close', resolve))),
    );
  }

  /** What the bound for slow readers has cost on all connections so far. */
  get sendStatistics(): Readonly<SendStatistics> {
    return this.#statistics;
  }

  /**
   * Answers an upgrade request: accepts it and calls back, or refuses it.
   * @param socket any Duplex; over HTTP/2, `request.stream`.
   * @param head what came behind the request.
   * @throws {Error} when called twice with one socket.
   */
  handleUpgrade(
    request: InstanceType<R>,
    socket: Duplex,
    head: Uint8Array,
    callback: (client: InstanceType<S>, request: InstanceType<R>) => void,
  ): void {
    socket.on('error', ignoreError);
    const plan = checkUpgrade(request, this.#accept, () => this.shouldHandle(request));
    if (!plan.isAcceptable) {
      const { status, message, headers } = plan;
      if (message !== undefined && this.listenerCount('wsClientError') > 0) {
        // A listener that writes an answer of HTTP/1.1 would otherwise open the stream with 200.
        if (isServerStream(socket)) beginRefusal(socket, status, headers);
        this.emit('wsClientError', new Error(message), socket, request);
      } else {
        refuseUpgrade(socket, status, message, headers);
      }
      return;
    }
    const { verifyClient } = this.options;
    if (!verifyClient) {
      this.#complete(plan, request, socket, head, callback);
      return;
    }
    const info: ClientInfo<InstanceType<R>> = {
      origin: plan.origin as string,
      secure: isEncrypted(request),
      req: request,
    };
    if (verifyClient.length === 2) {
      (verifyClient as VerifyClientCallbackAsync<InstanceType<R>>)(
        info,
        (verified, code, message, headers) => {
          if (verified) this.#complete(plan, request, socket, head, callback);
          else refuseUpgrade(socket, code || 401, message, headers);
        },
      );
    } else if ((verifyClient as VerifyClientCallbackSync<InstanceType<R>>)(info)) {
      this.#complete(plan, request, socket, head, callback);
    } else {
      refuseUpgrade(socket, 401);
    }
  }

  #complete(
    plan: HandshakePlan,
    request: InstanceType<R>,
    socket: Duplex,
    head: Uint8Array,
    callback: (client: InstanceType<S>, request: InstanceType<R>) => void,
  ): void {
    // While `verifyClient` thought, the client may have gone.
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return;
    }
    if (isBound(socket)) {
      throw new Error(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this.#state !== State.running) {
      refuseUpgrade(socket, 503);
      return;
    }
    const { handleProtocols } = this.options;
    const Socket = this.options.WebSocket as typeof WebSocket;
    const client = new Socket(null, undefined, this.options) as InstanceType<S>;
    const connection = completeUpgrade(plan, request, socket, head, this.#accept, {
      selectSubprotocol: handleProtocols ? (offered) => handleProtocols(offered, request) : undefined,
      onHeaders: (lines) => this.emit('headers', lines, request),
    });
    socket.removeListener('error', ignoreError);
    attachConnection(client, connection);
    if (this.clients !== undefined) {
      this.clients.add(client);
      sessionOfSocket(client).keeper = this.#keeper;
    }
    callback(client, request);
  }

  #forget(client: WebSocket): void {
    this.clients.delete(client as InstanceType<S>);
    if (this.#closesWithLastClient && this.clients.size === 0) process.nextTick(() => this.#finish());
  }
}

function isEncrypted(request: IncomingMessage): boolean {
  const { authorized, encrypted } = request.socket as { authorized?: boolean; encrypted?: boolean };
  return Boolean(authorized || encrypted);
}
