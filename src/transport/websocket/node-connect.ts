/**
 * What: opens a WebSocket as a client over http.request / https.request (any option of theirs, TLS included).
 * Must not know: the public API above it; it reports by callbacks.
 */
import http, { type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Random } from '../../base/port.ts';
import { ClientHandshake } from '../../protocol/websocket/client-handshake.ts';
import { nodeByteCodec } from '../platform/node-byte-codec.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { prepareSocket } from './node-accept.ts';
import { checkTarget, parseAddress, type Target, toTarget } from './node-address.ts';
import { NodeConnection } from './node-connection.ts';
import { Http2Connector } from './node-http2-connect.ts';
import { clientConnectionOptions, type DeflateSettings, type ShellSettings } from './node-settings.ts';

/** What happens to a handshake. Nothing is called before `connectWebSocket` has returned. */
export interface ConnectCallbacks {
  /** The connection is open; call `connection.start(listener)` before returning. */
  onOpen(connection: NodeConnection, response: IncomingMessage): void;
  /** It failed. At most once, instead of `onOpen`. */
  onError(error: Error): void;
  /** The server's 101, before it is checked. */
  onUpgrade?(response: IncomingMessage): void;
  /** A request for the place that a redirect points to was made. */
  onRedirect?(url: string, request: ClientRequest): void;
  /** Whether somebody looks at redirects: then credentials stay in the request. */
  inspectsRedirects?(): boolean;
  /** Any other answer. True: it is taken care of, and nothing is reported. */
  onUnexpectedResponse?(request: ClientRequest, response: IncomingMessage): boolean;
  /** Ends the request; absent: `request.end()`. */
  finishRequest?: ((request: ClientRequest) => void) | undefined;
}

/** Everything that `http.request` and `https.request` take, and what the handshake needs. */
export interface ConnectOptions
  extends Omit<ClientRequestArgs, 'protocol' | 'timeout' | 'method' | 'host' | 'hostname' | 'port' | 'path'>,
    Omit<tls.SecureContextOptions, 'secureContext'>,
    ShellSettings {
  readonly rejectUnauthorized?: boolean | undefined;
  readonly servername?: string | undefined;
  readonly checkServerIdentity?: typeof tls.checkServerIdentity | undefined;
  /** To be offered, best first. Default: none. */
  readonly protocols?: readonly string[] | undefined;
  readonly origin?: string | undefined;
  /** 8 or 13; default 13. */
  readonly protocolVersion?: number | undefined;
  /** Default false. */
  readonly followRedirects?: boolean | undefined;
  /** Default 10. */
  readonly maxRedirects?: number | undefined;
  /** For each request. Default: none. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** What to offer of compression; default null: nothing. */
  readonly deflate?: DeflateSettings | null | undefined;
  /**
   * Opens the connection on a stream of this session (RFC 8441) in place of a connection of its own. Then what is for
   * `http.request` is not used, but for `headers` and `auth`; redirects are not followed; and where callbacks get a
   * `ClientRequest`, it is the `ClientHttp2Stream`. Default: none.
   */
  readonly http2Session?: ClientHttp2Session | undefined;
  /** Makes masking keys; default: cryptographic ones. */
  readonly random?: Random | undefined;
}

function connectPlain(options: net.NetConnectOpts & { socketPath?: string }): Duplex {
  // `path` is the request's here; for net.connect it is a local socket's.
  return net.connect({ ...options, path: options.socketPath } as net.NetConnectOpts);
}

function connectSecure(options: tls.ConnectionOptions): Duplex {
  const { host } = options;
  const servername = options.servername ?? (host === undefined || net.isIP(host) !== 0 ? '' : host);
  return tls.connect({ ...options, path: undefined, servername });
}

/** Header names in lower case, so that a user's `Cookie` is found and a repeated name has one value. */
function lowerCaseNames(headers: ClientRequestArgs['headers']): Record<string, http.OutgoingHttpHeader> {
  const result: Record<string, http.OutgoingHttpHeader> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) result[name.toLowerCase()] = value;
  }
  return result;
}

/** A handshake under way. */
export interface OpeningHandshake {
  /** Where the connection is, or is being, opened. */
  readonly url: string;
  /** The request under way; null when the handshake is over. */
  readonly request: ClientRequest | null;
  /** Sends the request. */
  start(): void;
  /**
   * Gives up, if the handshake is not over yet.
   * @param error reported by `onError` in the next turn; absent: nothing is reported.
   */
  abort(error?: Error): void;
}

/**
 * Opens one connection, following redirects. Kept by its user until the handshake is over.
 */
class Connector implements OpeningHandshake {
  #url: URL;
  #request: ClientRequest | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #redirects = 0;
  #isOver = false;
  /** Where the first request went, and what of it may follow only there. */
  readonly #firstUrl: URL;
  #headers: Record<string, http.OutgoingHttpHeader>;
  #auth: string | undefined;
  readonly #options: ConnectOptions;
  readonly #callbacks: ConnectCallbacks;

  /**
   * @throws {RangeError} for an unknown protocol version.
   * @throws {SyntaxError} for an address or a subprotocol that cannot be; texts as those of `ws`.
   */
  constructor(address: string | URL, options: ConnectOptions, callbacks: ConnectCallbacks) {
    this.#url = checkTarget(address, options.protocols, options.protocolVersion);
    this.#firstUrl = this.#url;
    this.#options = options;
    this.#callbacks = callbacks;
    this.#headers = lowerCaseNames(options.headers);
    this.#auth = toTarget(this.#url).auth ?? options.auth ?? undefined;
  }

  /** Where the connection is, or is being, opened. */
  get url(): string {
    return this.#url.href;
  }

  /** The request under way; null when the handshake is over. */
  get request(): ClientRequest | null {
    return this.#request;
  }

  /** Sends the first request. */
  start(): void {
    this.#send(this.#headers, this.#auth);
  }

  /**
   * Gives up, if the handshake is not over yet.
   * @param error reported by `onError` in the next turn; absent: nothing is reported.
   */
  abort(error?: Error): void {
    if (this.#isOver) return;
    const request = this.#end();
    if (request !== null) destroyRequest(request);
    if (error !== undefined) process.nextTick(() => this.#callbacks.onError(error));
  }

  /** The handshake is over, whatever came of it. */
  #end(): ClientRequest | null {
    const request = this.#request;
    this.#isOver = true;
    this.#request = null;
    clearTimeout(this.#timer);
    return request;
  }

  #fail(error: Error): void {
    this.#end();
    this.#callbacks.onError(error);
  }

  #send(headers: Record<string, http.OutgoingHttpHeader>, auth: string | undefined): void {
    const options = this.#options;
    const target = toTarget(this.#url);
    const handshake = new ClientHandshake({
      codec: nodeByteCodec,
      random: nodeRandom,
      version: options.protocolVersion,
      subprotocols: options.protocols,
      deflate: options.deflate ?? null,
      origin: options.origin,
    });
    const request = openRequest(target, options, { ...headers, ...handshake.headers }, target.auth ?? auth);
    this.#request = request;
    const { handshakeTimeoutMs } = options;
    if (handshakeTimeoutMs) {
      this.#timer = setTimeout(
        () => this.abort(new Error('Opening handshake has timed out')),
        handshakeTimeoutMs,
      );
    }
    request.on('error', (error) => {
      if (request === this.#request) this.#fail(error);
    });
    request.on('response', (response) => {
      if (request === this.#request) this.#receiveRefusal(request, response);
    });
    request.on('upgrade', (response, socket, head) => {
      if (request === this.#request) this.#receiveUpgrade(handshake, response, socket, head);
      else socket.destroy();
    });
    if (this.#redirects > 0) this.#callbacks.onRedirect?.(this.#url.href, request);
    if (this.#callbacks.finishRequest) this.#callbacks.finishRequest(request);
    else request.end();
  }

  #receiveUpgrade(handshake: ClientHandshake, response: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#callbacks.onUpgrade?.(response);
    // A listener may have given up.
    if (this.#isOver) return;
    const answer = handshake.check({ status: response.statusCode ?? 0, headers: response.headers });
    if (answer instanceof Error) {
      this.abort(answer);
      socket.destroy();
      return;
    }
    this.#end();
    prepareSocket(socket, head);
    const options = this.#options;
    const deflate = answer.deflate && { agreement: answer.deflate, settings: options.deflate ?? {} };
    const connectionOptions = clientConnectionOptions(options, deflate, options.random ?? nodeRandom);
    this.#callbacks.onOpen(new NodeConnection(socket, connectionOptions, answer.subprotocol), response);
  }

  #receiveRefusal(request: ClientRequest, response: IncomingMessage): void {
    const { followRedirects, maxRedirects = 10 } = this.#options;
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (location !== undefined && followRedirects && status >= 300 && status < 400) {
      if (++this.#redirects > maxRedirects) {
        this.abort(new Error('Maximum redirects exceeded'));
        return;
      }
      clearTimeout(this.#timer);
      this.#request = null;
      destroyRequest(request);
      this.#redirect(location);
      return;
    }
    if (this.#callbacks.onUnexpectedResponse?.(request, response)) return;
    this.abort(new Error(`Unexpected server response: ${status}`));
  }

  #redirect(location: string): void {
    const from = this.#url;
    try {
      this.#url = parseAddress(location, from);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    const headers = { ...this.#headers };
    let auth = this.#auth;
    // What proves who the user is must not leave for another place, or in clear; whoever looks decides alone.
    if (!this.#callbacks.inspectsRedirects?.()) {
      const first = toTarget(this.#firstUrl);
      const next = toTarget(this.#url);
      const isSamePlace =
        first.socketPath === next.socketPath &&
        (first.socketPath !== undefined || this.#firstUrl.host === this.#url.host);
      if (!isSamePlace || (first.isSecure && !next.isSecure)) {
        delete headers.authorization;
        delete headers.cookie;
        if (!isSamePlace) delete headers.host;
        auth = undefined;
      }
      this.#headers = headers;
      this.#auth = auth;
    }
    this.#send(headers, auth);
  }
}

function destroyRequest(request: ClientRequest): void {
  request.on('error', () => {});
  request.destroy();
}

function openRequest(
  target: Target,
  options: ConnectOptions,
  headers: Record<string, http.OutgoingHttpHeader>,
  auth: string | undefined,
): ClientRequest {
  const { isSecure } = target;
  const socketPath = target.socketPath ?? options.socketPath;
  return (isSecure ? https : http).request({
    ...options,
    method: 'GET',
    protocol: undefined,
    hostname: undefined,
    timeout: undefined,
    host: target.host,
    port: target.port,
    defaultPort: options.defaultPort ?? target.defaultPort,
    path: target.path,
    socketPath,
    auth,
    headers,
    createConnection: options.createConnection ?? ((isSecure ? connectSecure : connectPlain) as never),
  } as https.RequestOptions);
}

/**
 * Prepares the opening of a WebSocket, over HTTP/1.1 or the `http2Session`.
 * @throws {RangeError} for an unknown protocol version.
 * @throws {SyntaxError} for an address or a subprotocol that cannot be.
 */
export function prepareHandshake(
  address: string | URL,
  options: ConnectOptions,
  callbacks: ConnectCallbacks,
): OpeningHandshake {
  return options.http2Session
    ? new Http2Connector(address, options, options.http2Session, callbacks)
    : new Connector(address, options, callbacks);
}

/**
 * Opens a WebSocket.
 * @returns by which to give up.
 * @throws as {@link prepareHandshake}.
 */
export function connectWebSocket(
  address: string | URL,
  options: ConnectOptions,
  callbacks: ConnectCallbacks,
): OpeningHandshake {
  const handshake = prepareHandshake(address, options, callbacks);
  handshake.start();
  return handshake;
}
