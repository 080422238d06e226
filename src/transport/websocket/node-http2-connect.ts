/**
 * What: opens a WebSocket as a client on a stream of an HTTP/2 session that exists already (RFC 8441).
 * Must not know: the public API above it; it reports by callbacks.
 */
import {
  type ClientRequest,
  IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  STATUS_CODES,
} from 'node:http';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { ClientHandshake } from '../../protocol/websocket/client-handshake.ts';
import { nodeByteCodec } from '../platform/node-byte-codec.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { checkTarget, toTarget } from './node-address.ts';
import type { ConnectCallbacks, ConnectOptions, OpeningHandshake } from './node-connect.ts';
import { cancelStream, Http2Connection, resetError } from './node-http2-connection.ts';
import { toHttp2Headers } from './node-http2-headers.ts';
import { hasExtendedConnect, whenExtendedConnect } from './node-http2-session.ts';
import { clientConnectionOptions } from './node-settings.ts';

/** Opens one connection. Kept by its user until the handshake is over. */
export class Http2Connector implements OpeningHandshake {
  readonly #url: URL;
  readonly #options: ConnectOptions;
  readonly #session: ClientHttp2Session;
  readonly #callbacks: ConnectCallbacks;
  readonly #handshake: ClientHandshake;
  readonly #headers: OutgoingHttpHeaders;
  #stream: ClientHttp2Stream | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /**
   * @throws {RangeError} for an unknown protocol version.
   * @throws {SyntaxError} for an address or a subprotocol that cannot be.
   * @throws {TypeError} of Node for a header that cannot be.
   */
  constructor(
    address: string | URL,
    options: ConnectOptions,
    session: ClientHttp2Session,
    callbacks: ConnectCallbacks,
  ) {
    const { protocols, protocolVersion } = options;
    this.#url = checkTarget(address, protocols, protocolVersion);
    this.#options = options;
    this.#session = session;
    this.#callbacks = callbacks;
    this.#handshake = new ClientHandshake({
      codec: nodeByteCodec,
      random: nodeRandom,
      version: protocolVersion,
      subprotocols: protocols,
      deflate: options.deflate ?? null,
      origin: options.origin,
      isExtendedConnect: true,
    });
    this.#headers = requestHeaders(this.#url, options, this.#handshake.headers);
  }

  get url(): string {
    return this.#url.href;
  }

  get request(): ClientRequest | null {
    return this.#stream as unknown as ClientRequest | null;
  }

  start(): void {
    const { handshakeTimeoutMs } = this.#options;
    if (handshakeTimeoutMs) {
      this.#timer = setTimeout(
        () => this.abort(new Error('Opening handshake has timed out')),
        handshakeTimeoutMs,
      );
    }
    // RFC 8441 section 3: a client must not ask before the server has said that it may.
    if (hasExtendedConnect(this.#session) && !this.#session.closed) {
      this.#send();
      return;
    }
    whenExtendedConnect(this.#session).then(
      () => this.#send(),
      (error: Error) => this.#fail(error),
    );
  }

  abort(error?: Error): void {
    if (this.#isOver) return;
    const stream = this.#end();
    if (stream !== null) cancelStream(stream);
    if (error !== undefined) process.nextTick(() => this.#callbacks.onError(error));
  }

  /** The handshake is over, whatever came of it. */
  #end(): ClientHttp2Stream | null {
    const stream = this.#stream;
    this.#isOver = true;
    this.#stream = null;
    clearTimeout(this.#timer);
    return stream;
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#callbacks.onError(error);
  }

  #send(): void {
    if (this.#isOver) return;
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(this.#headers, { endStream: false });
    } catch (error) {
      this.abort(error as Error);
      return;
    }
    this.#stream = stream;
    stream.on('error', this.#onError).on('close', this.#onClose).on('response', this.#onResponse);
  }

  readonly #onError = (error: Error): void => this.#fail(error);

  readonly #onClose = (): void => this.#fail(resetError(this.#session, this.#stream?.rstCode ?? 0));

  readonly #onResponse = (headers: IncomingHttpHeaders): void => {
    if (this.#stream !== null) this.#receive(this.#stream, headers);
  };

  #receive(stream: ClientHttp2Stream, headers: IncomingHttpHeaders): void {
    const response = toResponse(stream, headers);
    const status = response.statusCode ?? 0;
    if (status < 200 || status >= 300) {
      this.#receiveRefusal(stream, response, status);
      return;
    }
    this.#callbacks.onUpgrade?.(response);
    // A listener may have given up.
    if (this.#isOver) return;
    const answer = this.#handshake.check({ status, headers: response.headers });
    if (answer instanceof Error) {
      this.abort(answer);
      return;
    }
    this.#end();
    stream.off('error', this.#onError).off('close', this.#onClose).off('response', this.#onResponse);
    const options = this.#options;
    const deflate = answer.deflate && { agreement: answer.deflate, settings: options.deflate ?? {} };
    const connectionOptions = clientConnectionOptions(options, deflate, options.random ?? nodeRandom);
    this.#callbacks.onOpen(new Http2Connection(stream, connectionOptions, answer.subprotocol), response);
  }

  #receiveRefusal(stream: ClientHttp2Stream, response: IncomingMessage, status: number): void {
    // The body is for whoever listens; it waits for them.
    stream.on('data', (chunk) => {
      if (!response.push(chunk)) stream.pause();
    });
    stream.on('end', () => response.push(null));
    const request = stream as unknown as ClientRequest;
    if (this.#callbacks.onUnexpectedResponse?.(request, response)) {
      // From here on the stream is the listener's; that it closes is no news.
      stream.off('close', this.#onClose);
      return;
    }
    this.abort(new Error(`Unexpected server response: ${status}`));
  }
}

function requestHeaders(
  url: URL,
  { headers, auth }: ConnectOptions,
  handshakeHeaders: Readonly<Record<string, string>>,
): OutgoingHttpHeaders {
  const target = toTarget(url);
  const { host = url.host || 'localhost', ...fields } = toHttp2Headers(
    (headers ?? {}) as OutgoingHttpHeaders,
  );
  const user = target.auth ?? auth;
  if (user && fields.authorization === undefined) {
    fields.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  // RFC 8441 section 4: `:scheme` and `:path` are there, unlike in other CONNECTs. Section 5: "http" for ws, "https" for
  // wss.
  return {
    ...fields,
    ...toHttp2Headers(handshakeHeaders),
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': target.isSecure ? 'https' : 'http',
    ':authority': host as OutgoingHttpHeader,
    ':path': target.path,
  };
}

/** An answer as it would look over HTTP/1.1. */
function toResponse(stream: ClientHttp2Stream, headers: IncomingHttpHeaders): IncomingMessage {
  const response = new IncomingMessage(stream as unknown as Socket);
  const status = Number(headers[':status']);
  response.httpVersion = '2.0';
  response.httpVersionMajor = 2;
  response.httpVersionMinor = 0;
  response.statusCode = status;
  response.statusMessage = STATUS_CODES[status] ?? '';
  const fields: NodeJS.Dict<string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    fields[name] = value;
    for (const one of Array.isArray(value) ? value : [value]) response.rawHeaders.push(name, one);
  }
  response.headers = fields;
  return response;
}
