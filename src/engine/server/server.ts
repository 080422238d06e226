/**
 * What: the engine's server: lets requests in or refuses them, begins sessions, and finds the session of a request.
 * Must not know: how transports carry packets, or what the messages mean.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { UsageError } from '../../base/errors.ts';
import type { Clock } from '../../base/port.ts';
import { defaultSessionLimits, type SessionLimits } from '../../protocol/session/session.ts';
import { PollingServerTransport, type ResponseHeaders } from '../../transport/long-polling/node-server.ts';
import { nodeByteCodec } from '../../transport/platform/node-byte-codec.ts';
import { nodeClock } from '../../transport/platform/node-clock.ts';
import { NodeDeflate } from '../../transport/platform/node-deflate.ts';
import { nodeRandom } from '../../transport/platform/node-random.ts';
import { type Transport, TransportName } from '../../transport/port.ts';
import {
  type AcceptSettings,
  checkUpgrade,
  completeUpgrade,
  refuseUpgrade,
} from '../../transport/websocket/node-accept.ts';
import { isServerStream } from '../../transport/websocket/node-http2-accept.ts';
import { WebSocketServerTransport } from '../../transport/websocket/node-server.ts';
import { Admission, type ResolvedLimits, resolveLimits } from './admission.ts';
import { attachTo, type HttpServerLike } from './attach.ts';
import { type CarrierSettings, carrierKinds } from './carriers.ts';
import { createConnectResponse } from './connect-response.ts';
import { formatCookie } from './cookie.ts';
import { EndedSessions } from './ended-sessions.ts';
import { Farewells } from './farewells.ts';
import { Gate } from './gate.ts';
import { Heartbeat } from './heartbeat.ts';
import { keepSocket, keptRequest } from './kept-request.ts';
import { type HandshakeResponse, type Middleware, toHeaderLines, UpgradeResponse } from './middleware.ts';
import { ObservedEmitter } from './observed-emitter.ts';
import {
  type AttachOptions,
  type ResolvedOptions,
  resolveOptions,
  resolveSessionLimits,
  type ServerOptions,
} from './options.ts';
import { checkOrigin } from './origin-check.ts';
import {
  type ConnectionError,
  errorMessages,
  errors,
  type Refusal,
  refuseRequest,
  refuseSocket,
} from './refusal.ts';
import { type EngineRequest, queryOf } from './request.ts';
import { ResumableSocket, SessionCloseCode } from './resumable-session.ts';
import { Socket } from './session.ts';
import { createSessionId } from './session-id.ts';
import { announcesSession, attachConnection, takeGet, takePost } from './session-requests.ts';
import { UpgradeAttempt } from './upgrade.ts';

/** Arguments of the events of {@link Server}. */
export interface ServerEvents {
  connection: [socket: Socket];
  /** A request was refused; its client was told. */
  connection_error: [error: ConnectionError];
  /** Headers of the first answer of a session, before it is sent; may be added to. */
  initial_headers: [headers: ResponseHeaders, request: IncomingMessage];
  /** Headers of any answer of a session, before it is sent; may be added to. */
  headers: [headers: ResponseHeaders, request: IncomingMessage];
}

/** A WebSocket handshake on its way through the checks. */
interface Handshake {
  readonly request: EngineRequest;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  /** What CORS and middlewares add to the `101`, over HTTP/2 the 200. */
  readonly headerLines: string[];
}

/** How long a session that was closed waits for the poll by which its client is told. */
const CLOSE_TIMEOUT_MS = 30_000;
const LONGEST_ANSWER_MS = 25_000;

/**
 * Engine.IO 4 on Node HTTP servers (engine.io's `Server`).
 *
 * Whatever a peer sends, it is refused or its own session ends; nothing is thrown.
 */
export class Server extends ObservedEmitter<ServerEvents> {
  static readonly errors = errors;
  static readonly errorMessages = errorMessages;

  readonly opts: ResolvedOptions;
  /** The HTTP server that it was attached to last. */
  httpServer: HttpServerLike | null = null;
  /** Sessions by id. */
  readonly clients: Record<string, Socket> = Object.create(null);
  /** How many sessions there are. */
  clientsCount = 0;
  /** @internal */ readonly heartbeat: Heartbeat;
  /** @internal */ readonly clock: Clock;
  /** @internal */ readonly limits: ResolvedLimits;
  /** @internal Of resumable sessions. */ readonly sessionLimits: SessionLimits;
  /** @internal */ readonly endedSessions = new EndedSessions();
  /** @internal */ readonly farewells = new Farewells();
  readonly #gate: Gate;
  readonly #polling: CarrierSettings;
  readonly #admission: Admission;
  readonly #offersSessions: boolean;
  readonly #accept: AcceptSettings;

  /** @param clock only for tests another than Node's. */
  constructor(options: ServerOptions = {}, clock: Clock = nodeClock) {
    super();
    const opts = resolveOptions(options);
    const sessionLimits = resolveSessionLimits(opts);
    this.opts = opts;
    this.clock = clock;
    this.limits = resolveLimits(opts.limits);
    this.sessionLimits = sessionLimits ?? defaultSessionLimits;
    this.#offersSessions = sessionLimits !== null;
    const admission = new Admission(this.limits);
    this.#admission = admission;
    const { clients, endedSessions } = this;
    this.#gate = new Gate({ opts, clients, endedSessions, admission });
    this.heartbeat = new Heartbeat(clock, opts.pingInterval, opts.pingTimeout);
    const { httpCompression } = opts;
    this.#polling = {
      codec: nodeByteCodec,
      clock,
      pingIntervalMs: opts.pingInterval,
      bodyLimitBytes: opts.maxHttpBufferSize,
      bodyLimitName: 'maxHttpBufferSize',
      // Common proxies wait for 30 s, and our clients for a ping.
      answerWithinMs: Math.min(opts.pingInterval, LONGEST_ANSWER_MS),
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      compression: httpCompression === false ? null : httpCompression === true ? {} : httpCompression,
      onHeaders: (headers, request, sid) => this.#emitHeaders(headers, request, sid),
    };
    this.#accept = {
      limits: { payloadLimitBytes: opts.maxHttpBufferSize },
      deflate: deflateSettings(opts.perMessageDeflate),
      // Text is decoded where it lies, so memory of its own would be for nothing.
      ownedUpToBytes: 0,
    };
  }

  /** Answers the requests of a path on an HTTP server; other listeners keep the other paths. */
  attach(httpServer: HttpServerLike, options: AttachOptions = {}): this {
    this.httpServer = httpServer;
    attachTo(httpServer, this, options);
    return this;
  }

  /** Adds an Express-style middleware for all requests, WebSocket handshakes included. */
  use(middleware: Middleware): this {
    this.#gate.middlewares.push(middleware);
    return this;
  }

  /**
   * Makes the id of a new session; may be replaced, by an asynchronous function too.
   * Whoever knows the id can speak in the session's name, so it must not be guessable.
   */
  generateId(_request: IncomingMessage): string | PromiseLike<string> {
    return createSessionId(nodeRandom);
  }

  /** Ends all sessions; their clients are told. The HTTP server stays as it is. */
  close(): this {
    for (const session of Object.values(this.clients)) session.close(true);
    return this;
  }

  /** @internal To which transports a client of `transport` may change. */
  upgrades(transport: string): readonly string[] {
    if (!this.opts.allowUpgrades || transport === TransportName.websocket) return [];
    return this.opts.transports.filter((name) => name === TransportName.websocket);
  }

  /** @internal */
  ended(session: Socket): void {
    delete this.clients[session.id];
    this.clientsCount--;
    this.#admission.leave(session);
  }

  /** Answers a request of any transport but WebSocket. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    const req: EngineRequest = request;
    req.res = response;
    const refuse = (refusal: Refusal): void => {
      this.#report(req, refusal);
      refuseRequest(response, refusal);
    };
    checkOrigin(this.opts.cors, req, (refusal, { headers, preflightStatus }) => {
      for (const [name, value] of headers) {
        if (name === 'Vary') response.appendHeader(name, value);
        else response.setHeader(name, value);
      }
      if (refusal !== null) {
        refuse(refusal);
      } else if (preflightStatus !== null) {
        response.writeHead(preflightStatus, { 'Content-Length': '0' });
        response.end();
      } else {
        this.#gate.admit(req, response, response, false, refuse, (refuse) =>
          this.#dispatch(req, response, refuse),
        );
      }
    });
  }

  /** Answers a WebSocket handshake. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const handshake: Handshake = { request, socket, head, headerLines: [] };
    // Until the connection takes over, nobody else listens for the socket's errors; `close` follows them.
    socket.on('error', ignore);
    const refuse = (refusal: Refusal): void => {
      this.#report(request, refusal);
      refuseSocket(socket, refusal);
    };
    checkOrigin(this.opts.cors, request, (refusal, { headers }) => {
      for (const [name, value] of headers) handshake.headerLines.push(`${name}: ${value}`);
      if (refusal !== null) {
        refuse(refusal);
        return;
      }
      const response = this.#gate.middlewares.length === 0 ? null : handshakeResponse(request, socket);
      this.#gate.admit(request, response, socket, true, refuse, (refuse) => {
        if (response !== null) handshake.headerLines.push(...response.takeHeaderLines());
        this.#upgrade(handshake, refuse);
      });
    });
  }

  #dispatch(request: EngineRequest, response: ServerResponse, refuse: (refusal: Refusal) => void): void {
    const { sid } = queryOf(request);
    if (sid !== undefined) {
      const session = this.clients[sid];
      if (session instanceof ResumableSocket) {
        if (request.method === 'POST') takePost(session, request, response, this.#polling);
        else takeGet(session, request, response, this.#polling, refuse);
        return;
      }
      const transport = session?.transport;
      if (transport instanceof PollingServerTransport) transport.handleRequest(request, response);
      else refuse({ code: errors.BAD_REQUEST, context: { name: 'TRANSPORT_MISMATCH' } });
      return;
    }
    this.#withId(request, refuse, (id) => {
      if (response.destroyed) return;
      if (this.#isResumable(request)) {
        const carrier = carrierKinds[queryOf(request).transport!]!.create!(this.#polling, id);
        const session = this.#begin(id, carrier, request);
        carrier.handleGet(response, 0);
        this.emit('connection', session);
        return;
      }
      const transport = new PollingServerTransport(this.#polling, id);
      const session = this.#begin(id, transport, request);
      transport.handleRequest(request, response);
      this.emit('connection', session);
    });
  }

  #isResumable(request: EngineRequest): boolean {
    return this.#offersSessions && announcesSession(request);
  }

  #upgrade(handshake: Handshake, refuse: (refusal: Refusal) => void): void {
    const { request } = handshake;
    const { sid } = queryOf(request);
    if (sid !== undefined) {
      const transport = this.#acceptWebSocket(sid, handshake);
      if (transport === null) return;
      const session = this.clients[sid];
      if (session === undefined || session instanceof ResumableSocket) {
        this.attachWebSocket(session, transport, request);
        return;
      }
      new UpgradeAttempt(session, transport, this.clock, this.opts.upgradeTimeout);
      transport.socket.start(transport);
      return;
    }
    this.#withId(request, refuse, (id) => {
      const transport = this.#acceptWebSocket(id, handshake);
      if (transport === null) return;
      this.beginWebSocket(id, transport, request);
    });
  }

  /** @internal A connection that was let in begins a session. */
  beginWebSocket(id: string, transport: WebSocketServerTransport, request: EngineRequest): void {
    transport.isExtended = this.#isResumable(request);
    const session = this.#begin(id, transport, request, keptRequest(request));
    transport.socket.start(transport);
    this.emit('connection', session);
  }

  /**
   * @internal A connection that was let in asks for a session. A page cannot read the answer to a refused handshake; so
   * who comes too late is told by a close code.
   */
  attachWebSocket(
    session: ResumableSocket | undefined,
    transport: WebSocketServerTransport,
    request: EngineRequest,
  ): void {
    transport.isExtended = true;
    const ended =
      session === undefined
        ? this.endedSessions.find(transport.sid)
        : attachConnection(session, transport, request);
    transport.socket.start(transport);
    if (session !== undefined && ended === null) return;
    this.dismiss(transport, SessionCloseCode.unknown, ended ? `${ended.end} ${ended.received}` : 'unknown');
  }

  /** @internal Tells a connection that carries no session, or none any more, to close. */
  dismiss(transport: Transport, code: number, reason: string): void {
    if (transport instanceof WebSocketServerTransport) this.farewells.tell(transport, code, reason);
    else transport.close(code, reason);
  }

  #acceptWebSocket(sid: string, handshake: Handshake): WebSocketServerTransport | null {
    const { request, socket, head } = handshake;
    if (!socket.readable || !socket.writable) {
      // The client has gone while middlewares or the program were asked.
      socket.destroy();
      return null;
    }
    const plan = checkUpgrade(request, this.#accept);
    if ('status' in plan) {
      const { status, message, headers } = plan;
      this.#report(request, {
        code: errors.BAD_REQUEST,
        context: { name: 'TRANSPORT_HANDSHAKE_ERROR', message },
      });
      refuseUpgrade(socket, status, message, headers);
      return null;
    }
    const connection = completeUpgrade(plan, request, socket, head, this.#accept, {
      onHeaders: (lines) => this.#addHeaderLines(lines, handshake, sid),
    });
    socket.off('error', ignore);
    return new WebSocketServerTransport(connection, sid);
  }

  /** Asks for an id, which may take time, and makes sure that it is new. */
  #withId(request: EngineRequest, refuse: (refusal: Refusal) => void, callback: (id: string) => void): void {
    const fail = (error: unknown): void =>
      refuse({ code: errors.BAD_REQUEST, context: { name: 'ID_GENERATION_ERROR', error } });
    const take = (id: string): void => {
      const refusal = this.#admission.sessionRefusal(request);
      if (refusal !== null) refuse(refusal);
      else if (this.clients[id] === undefined) callback(id);
      else
        fail(
          new UsageError(`generateId gave ${JSON.stringify(id)}, which a session has already.`, {
            code: 'ENGINE_ERR_DUPLICATE_ID',
          }),
        );
    };
    let id: string | PromiseLike<string>;
    try {
      id = this.generateId(request);
    } catch (error) {
      fail(error);
      return;
    }
    if (typeof id === 'string') take(id);
    else id.then(take, fail);
  }

  #begin(id: string, transport: Transport, request: EngineRequest, kept: IncomingMessage = request): Socket {
    keepSocket(kept);
    const session = this.#isResumable(request)
      ? new ResumableSocket(id, this, transport, kept, this.sessionLimits)
      : new Socket(id, this, transport, kept);
    this.clients[id] = session;
    this.#admission.enter(session, request);
    this.#gate.entered(request);
    this.clientsCount++;
    session.begin();
    return session;
  }

  #report(req: IncomingMessage, { code, context }: Refusal): void {
    this.emit('connection_error', { req, code, message: errorMessages[code], context });
  }

  #emitHeaders(headers: ResponseHeaders, request: EngineRequest, sid: string, setsCookie = true): void {
    const { cookie } = this.opts;
    if (queryOf(request).sid === undefined) {
      if (cookie && setsCookie) headers['Set-Cookie'] = [formatCookie(cookie === true ? {} : cookie, sid)];
      this.emit('initial_headers', headers, request);
    }
    this.emit('headers', headers, request);
  }

  /** What CORS, middlewares and listeners add to a `101`. */
  #addHeaderLines(lines: string[], { request, headerLines }: Handshake, sid: string): void {
    lines.push(...headerLines);
    const headers: ResponseHeaders = {};
    // Official servers set no cookie with a WebSocket, which no other request of its session follows. A resumable
    // session's is followed, and a load balancer must lead that to the same server.
    this.#emitHeaders(headers, request, sid, this.#isResumable(request));
    lines.push(...toHeaderLines(headers));
  }
}

function handshakeResponse(request: IncomingMessage, socket: Duplex): HandshakeResponse {
  return isServerStream(socket) ? createConnectResponse(socket) : new UpgradeResponse(request, socket);
}

function ignore(): void {}

function deflateSettings(option: ResolvedOptions['perMessageDeflate']): AcceptSettings['deflate'] {
  if (option === false) return null;
  if (option === true) return {};
  const { threshold, zlibDeflateOptions, zlibInflateOptions, ...settings } = option;
  const port = new NodeDeflate(zlibDeflateOptions, zlibInflateOptions);
  return { ...settings, thresholdBytes: threshold, port };
}
