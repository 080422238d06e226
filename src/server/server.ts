/**
 * What: the Server that programs import: namespaces and sockets (hub) over sessions (engine) on an HTTP server.
 * Must not know: packets, rooms, transports; it only puts the parts together.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { UsageError } from '../base/errors.ts';
import type { DefaultEventsMap, EventsMap, Untyped } from '../base/typed-events.ts';
import type { Contract } from '../contract/contract.ts';
import type { ContractSpec, DataOf, ServerEmits, ServerListens } from '../contract/contract-types.ts';
import { Server as EngineServer } from '../engine/server/server.ts';
import type { ContractOptions } from '../hub/contract-guard.ts';
import type { EmitterSession } from '../hub/emitter-peer.ts';
import { Hub } from '../hub/hub.ts';
import { ClientFiles, clientFileOf } from './client-files.ts';
import { Http2Sessions } from './http2-sessions.ts';
import type { ServerOptions, TServerInstance } from './options.ts';

/** The path under which Socket.IO clients look. */
const defaultPath = '/socket.io';

/** What answers requests beside us. */
type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A server for events, rooms and acknowledgements, compatible with Socket.IO 4.8.
 *
 * ```ts
 * const io = new Server(httpServer);
 * io.on('connection', (socket) => socket.emit('hello', 'world'));
 * ```
 */
export class Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Hub<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** The sessions under the sockets; its events tell of connections before they enter a namespace. */
  engine!: EngineServer;
  /** The HTTP server that it was attached to last. */
  httpServer!: TServerInstance;
  readonly #options: Partial<ServerOptions>;
  #path: string;
  #servesClient: boolean;
  #http2Sessions: Http2Sessions | null = null;

  /** @param opts alone: {@link listen} is called later. */
  constructor(opts?: Partial<ServerOptions>);
  /**
   * @param srv a port (0: any free one), or an HTTP server; nothing: call {@link listen} later. A lone object that
   * is no server is the options.
   */
  constructor(srv?: TServerInstance | number, opts?: Partial<ServerOptions>);
  constructor(srv?: TServerInstance | number | Partial<ServerOptions>, opts?: Partial<ServerOptions>);
  constructor(srv?: TServerInstance | number | Partial<ServerOptions>, opts: Partial<ServerOptions> = {}) {
    const isOptions = typeof srv === 'object' && srv !== null && !('listen' in srv);
    const options = isOptions ? srv : opts;
    super(options);
    this.#options = options;
    this.#path = withoutSlash(options.path ?? defaultPath);
    this.#servesClient = options.serveClient !== false;
    if (!isOptions && srv !== undefined && srv !== null) this.attach(srv as TServerInstance | number);
  }

  /**
   * Types the server by a contract of its main namespace, and validates what clients send there before anybody sees it.
   * Other namespaces have contracts of their own: `io.of(name).contract()`.
   */
  contract<Spec extends ContractSpec>(
    contract: Contract<Spec>,
    options?: ContractOptions,
  ): Server<ServerListens<Spec>, ServerEmits<Spec>, ServerSideEvents, DataOf<Spec>> {
    this.sockets.contract(contract, options);
    return this as unknown as Server<ServerListens<Spec>, ServerEmits<Spec>, ServerSideEvents, DataOf<Spec>>;
  }

  /** Whether the client script is given out; to be set before {@link attach}. */
  serveClient(): boolean;
  serveClient(isServed: boolean): this;
  serveClient(isServed?: boolean): this | boolean {
    if (isServed === undefined) return this.#servesClient;
    this.#servesClient = isServed;
    return this;
  }

  /** The path under which the server answers; to be set before {@link attach}. */
  path(): string;
  path(path: string): this;
  path(path?: string): this | string {
    if (path === undefined) return this.#path;
    this.#path = withoutSlash(path);
    return this;
  }

  /** The same as {@link attach}. */
  listen(srv: TServerInstance | number, opts?: Partial<ServerOptions>): this {
    return this.attach(srv, opts);
  }

  /**
   * Answers requests on an HTTP server, or on a new one that listens on a port.
   * @param opts as those of the constructor, which win where both are given.
   * @throws {Error} when given an Express app: it must be given the HTTP server of the app.
   */
  attach(srv: TServerInstance | number, opts: Partial<ServerOptions> = {}): this {
    if (typeof srv === 'function') {
      throw new Error(
        'You are trying to attach socket.io to an express request handler function. ' +
          'Please pass a http.Server instance.',
      );
    }
    const httpServer = typeof srv === 'object' ? srv : listenOn(Number(srv));
    const options = { ...opts, ...this.#options };
    const path = this.#options.path === undefined && opts.path ? withoutSlash(opts.path) : this.#path;
    const { maxPayload, maxHttpBufferSize = maxPayload } = options;
    const engine = new EngineServer({ ...options, maxHttpBufferSize });
    engine.attach(httpServer, { ...options, path });
    this.#path = path;
    this.httpServer = httpServer;
    this.#http2Sessions = new Http2Sessions(httpServer);
    if (options.serveClient ?? this.#servesClient) this.#serveFiles(httpServer, options);
    return this.bind(engine);
  }

  /** Not for us: it attaches to µWebSockets.js. @throws {UsageError} always. */
  attachApp(_app: unknown, _opts?: Partial<ServerOptions>): never {
    throw new UsageError('attachApp() is for uWebSockets.js apps. Use attach() with a server of node:http', {
      code: 'SERVER_ERR_UNSUPPORTED_APP',
    });
  }

  /** Takes the sessions of an engine: ours, or another with the events and sockets of `engine.io`. */
  bind(engine: EngineServer): this {
    this.engine = engine;
    engine.on('connection', (session) => this.addConnection(session as unknown as EmitterSession));
    return this;
  }

  /** Before all other listeners, the engine among them, as its path is the same. */
  #serveFiles(httpServer: TServerInstance, options: Partial<ServerOptions>): void {
    const files = new ClientFiles(options.cors);
    const path = this.#path;
    const others = httpServer.listeners('request') as RequestListener[];
    httpServer.removeAllListeners('request');
    httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const name = clientFileOf(request.url, path);
      if (name !== null) files.serve(name, request, response);
      else for (const other of others) other.call(httpServer, request, response);
    });
  }

  /**
   * Disconnects all clients and closes the HTTP server.
   * @param callback told the error of an HTTP server that was not listening (`ERR_SERVER_NOT_RUNNING`).
   * @returns resolved when the last connection has ended, also after such an error.
   */
  async close(callback?: (err?: Error) => void): Promise<void> {
    await this.closeNamespaces();
    this.engine?.close();
    const { httpServer } = this;
    if (httpServer === undefined) {
      callback?.();
      return;
    }
    this.#http2Sessions?.close();
    await new Promise<void>((resolve) => {
      httpServer.close((error?: Error) => {
        callback?.(error);
        resolve();
      });
    });
  }
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** A server of our own, which has nothing else to say. */
function listenOn(port: number): TServerInstance {
  const httpServer = createServer((_request, response) => {
    response.writeHead(404);
    response.end();
  });
  return httpServer.listen(port);
}
