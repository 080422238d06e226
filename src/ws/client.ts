/**
 * What: the opening of a client's WebSocket: options as `ws` has them, and what becomes an event while it opens.
 * Must not know: HTTP requests (transport/websocket/node-connect.ts) and frames.
 */

import { Buffer } from 'node:buffer';
import type { ClientRequest, ClientRequestArgs, IncomingMessage } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { checkServerIdentity, SecureContextOptions } from 'node:tls';
import type { Random } from '../base/port.ts';
import {
  type ConnectCallbacks,
  type OpeningHandshake,
  prepareHandshake,
} from '../transport/websocket/node-connect.ts';
import type { NodeConnection } from '../transport/websocket/node-connection.ts';
import { EMPTY } from './data.ts';
import { toHandshakeError } from './error.ts';
import { type CommonOptions, toDeflateSettings, toShellSettings } from './options.ts';
import { ReadyState, type Session } from './session.ts';
import type { WebSocket } from './websocket.ts';

/** Options of a client: its own, and all of `http.request` and `https.request`. */
export interface ClientOptions
  extends CommonOptions,
    Omit<ClientRequestArgs, 'protocol' | 'checkServerIdentity'>,
    Omit<SecureContextOptions, 'secureContext'> {
  /** Called once per request; must itself end the request. */
  readonly finishRequest?: ((request: ClientRequest, socket: WebSocket) => void) | undefined;
  /** Default false. */
  readonly followRedirects?: boolean | undefined;
  /** Default 10. */
  readonly maxRedirects?: number | undefined;
  /** Fills a masking key of four bytes; default: random ones. */
  readonly generateMask?: ((mask: Buffer) => void) | undefined;
  /** How long a handshake may take, in ms. Default: for ever. */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Not in `ws`. Opens the WebSocket on a stream of this session, which many may share (RFC 8441), in place of a
   * connection of its own. Of the options of `http.request` only `headers` and `auth` are used; redirects are not
   * followed; `_req` and the request of `unexpected-response` are the `ClientHttp2Stream`. Errors have a `code`:
   * `WS_ERR_HTTP2_UNSUPPORTED` when the server does not offer it, `WS_HTTP2_SESSION_CLOSED`. Default: none.
   */
  readonly http2Session?: ClientHttp2Session | undefined;
  /** The `Origin` header; default: none. */
  readonly origin?: string | undefined;
  /** 8 or 13; default 13. */
  readonly protocolVersion?: number | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  readonly servername?: string | undefined;
  readonly checkServerIdentity?: typeof checkServerIdentity | undefined;
}

/** Masking keys by a program's own function. */
function maskBy(generateMask: (mask: Buffer) => void): Random {
  return {
    fill(target) {
      const mask = Buffer.alloc(target.length);
      generateMask(mask);
      target.set(mask);
    },
  };
}

/** Opens the connection of one WebSocket. */
export class Client implements ConnectCallbacks {
  readonly #socket: WebSocket;
  readonly #session: Session;
  readonly #connector: OpeningHandshake;
  readonly finishRequest: ((request: ClientRequest) => void) | undefined;

  constructor(
    socket: WebSocket,
    session: Session,
    address: string | URL,
    protocols: readonly string[],
    options: ClientOptions,
  ) {
    this.#socket = socket;
    this.#session = session;
    const { finishRequest, generateMask, handshakeTimeout } = options;
    if (finishRequest) this.finishRequest = (request) => finishRequest(request, socket);
    this.#connector = prepareHandshake(
      address,
      {
        ...options,
        ...toShellSettings(options),
        protocols,
        deflate: toDeflateSettings(options.perMessageDeflate, true),
        handshakeTimeoutMs: handshakeTimeout,
        random: generateMask ? maskBy(generateMask) : undefined,
      },
      this,
    );
  }

  /** Sends the request. */
  start(): void {
    this.#connector.start();
  }

  get url(): string {
    return this.#connector.url;
  }

  get request(): ClientRequest | null {
    return this.#connector.request;
  }

  /** Gives up the handshake: `error` with this text, then `close`. */
  abort(message: string): void {
    this.#session.readyState = ReadyState.closing;
    this.#connector.abort(new Error(message));
  }

  onOpen(connection: NodeConnection): void {
    this.#session.attach(connection);
  }

  onError(error: Error): void {
    this.#session.readyState = ReadyState.closing;
    this.#session.emitError(toHandshakeError(error));
    this.#session.readyState = ReadyState.closed;
    this.#socket.emit('close', 1006, EMPTY);
  }

  onUpgrade(response: IncomingMessage): void {
    this.#socket.emit('upgrade', response);
  }

  onRedirect(url: string, request: ClientRequest): void {
    this.#socket.emit('redirect', url, request);
  }

  inspectsRedirects(): boolean {
    return this.#socket.listenerCount('redirect') > 0;
  }

  onUnexpectedResponse(request: ClientRequest, response: IncomingMessage): boolean {
    return this.#socket.emit('unexpected-response', request, response);
  }
}
