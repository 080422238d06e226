/**
 * What: the class WebSocket as programs written for `ws` know it: arguments, constants, attributes, events.
 * Must not know: how bytes travel (session.ts) or how a connection is opened (client.ts).
 */
import { Buffer } from 'node:buffer';
import type { ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeConnection, SendCallback } from '../transport/websocket/node-connection.ts';
import { isLegalCloseCode } from '../wire/websocket/close-code.ts';
import { Client, type ClientOptions } from './client.ts';
import { EMPTY, type SendData, toPayload } from './data.ts';
import {
  addDomListener,
  attributeListener,
  type CloseEvent,
  type DomListener,
  type ErrorEvent,
  type Event,
  type EventListenerOptions,
  type MessageEvent,
  removeDomListener,
  setAttributeListener,
  type WebSocketEventMap,
} from './event.ts';
import type { SendStatistics } from './held-messages.ts';
import { type CommonOptions, toSessionOptions } from './options.ts';
import type { WebSocketServer } from './server.ts';
import {
  notOpenError,
  ReadyState,
  type SendOptions,
  type SendStreamOptions,
  Session,
  type SessionOptions,
  type StreamSource,
} from './session.ts';
import type { createWebSocketStream } from './stream.ts';
import { TypedEmitter } from './typed-emitter.ts';
import { type BinaryType, binaryTypes, ListenerTable, type WebSocketEvents } from './websocket-events.ts';

export type { BinaryType, RawData, WebSocketEvents } from './websocket-events.ts';

/** Options of the sockets that a server makes; given by `WebSocketServer`, which gives all of them the same object. */
export type ServerSideOptions = CommonOptions & { readonly [kSessionOptions]?: SessionOptions };

/** Under which a server keeps what its sockets have in common. @internal */
export const kSessionOptions: unique symbol = Symbol('tautline.session');

function serverSideOptions(options: ServerSideOptions = {}): SessionOptions {
  return options[kSessionOptions] ?? toSessionOptions(options);
}

let attachTo: (socket: WebSocket, connection: NodeConnection) => void;
let sessionOf: (socket: WebSocket) => Session;

/**
 * A WebSocket connection, client or server side.
 *
 * @example
 * const socket = new WebSocket('wss://example.com/chat');
 * socket.on('open', () => socket.send('hello'));
 * socket.on('message', (data, isBinary) => console.log(isBinary ? data : data.toString()));
 */
export class WebSocket extends TypedEmitter<WebSocketEvents> {
  /** The handshake is under way. */
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  /** A closing handshake is under way. */
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  // Put here by api.ts.
  declare static readonly WebSocket: typeof WebSocket;
  declare static readonly Server: typeof WebSocketServer;
  declare static readonly WebSocketServer: typeof WebSocketServer;
  declare static readonly createWebSocketStream: typeof createWebSocketStream;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  /** @internal Node's, by its own name. */
  declare _events: object;
  readonly #session: Session;
  readonly #client: Client | null = null;

  static {
    attachTo = (socket, connection) => socket.#session.attach(connection);
    sessionOf = (socket) => socket.#session;
  }

  /** An object without a connection, as a server makes it. */
  constructor(address: null, protocols?: undefined, options?: ServerSideOptions);
  /**
   * Opens a connection.
   * @param address a `ws:`, `wss:`, `http:`, `https:` or `ws+unix:` URL.
   * @throws {SyntaxError} for an address or subprotocol that cannot be.
   * @throws {RangeError} for a `protocolVersion` other than 8 and 13.
   */
  constructor(address: string | URL, options?: ClientOptions);
  constructor(address: string | URL, protocols?: string | string[], options?: ClientOptions);
  constructor(
    address: string | URL | null,
    protocols?: string | string[] | ClientOptions,
    options?: ClientOptions | ServerSideOptions,
  ) {
    super();
    this._events = new ListenerTable();
    if (address === null) {
      this.#session = new Session(this, serverSideOptions(options as ServerSideOptions | undefined));
      return;
    }
    let list: string[];
    let chosen: ClientOptions = (options ?? {}) as ClientOptions;
    if (protocols === undefined) list = [];
    else if (Array.isArray(protocols)) list = protocols;
    else if (typeof protocols === 'object' && protocols !== null) {
      chosen = protocols;
      list = [];
    } else list = [protocols];
    this.#session = new Session(this, toSessionOptions(chosen));
    this.#client = new Client(this, this.#session, address, list, chosen);
    this.#client.start();
  }

  /** How binary messages come: `nodebuffer` (default), `arraybuffer`, `fragments` or `blob`. */
  get binaryType(): BinaryType {
    return this.#session.binaryType;
  }
  set binaryType(type: BinaryType) {
    if (binaryTypes.includes(type)) this.#session.setBinaryType(type);
  }

  /** Payload bytes that were sent and not yet taken by the operating system. */
  get bufferedAmount(): number {
    return this.#session.bufferedBytes;
  }

  /** The names of the extensions agreed on: empty, or `permessage-deflate`. */
  get extensions(): string {
    return this.#session.connection?.isDeflated ? 'permessage-deflate' : '';
  }

  /** Whether messages come as `stream` events, to be read while they arrive; from the next one on. Default false. */
  get streamMessages(): boolean {
    return this.#session.isStreaming;
  }
  set streamMessages(isStreaming: boolean) {
    this.#session.setStreaming(isStreaming);
  }

  /**
   * Why the connection broke; null while it is open, and when it was closed in order. Besides what `error` reports:
   * the socket's error, the heartbeat's timeout, a slow reader.
   */
  get failure(): Error | null {
    return this.#session.failure;
  }

  /** What the bound for slow readers has cost on this connection. */
  get sendStatistics(): Readonly<SendStatistics> {
    return this.#session.statistics;
  }

  /** Whether `pause` is in force. */
  get isPaused(): boolean {
    return this.#session.isPaused;
  }

  /** The subprotocol agreed on, or empty. */
  get protocol(): string {
    return this.#session.connection?.subprotocol ?? '';
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#session.readyState;
  }

  /** The address; undefined on the server's side. */
  get url(): string {
    return this.#client === null ? (undefined as unknown as string) : this.#client.url;
  }

  /** The raw socket; null before `open`. Many programs read its addresses. */
  get _socket(): Duplex | null {
    return this.#session.connection?.rawSocket ?? null;
  }

  /** The request of the handshake under way; null otherwise. */
  get _req(): ClientRequest | null {
    return this.#client?.request ?? null;
  }

  /** @internal */
  get wasClosedCleanly(): boolean {
    return this.#session.closeFrameReceived && this.#session.closeFrameSent;
  }

  get onopen(): ((event: Event) => void) | null {
    return attributeListener(this, 'open') as ((event: Event) => void) | null;
  }
  set onopen(handler: ((event: Event) => void) | null) {
    setAttributeListener(this, 'open', handler);
  }
  get onmessage(): ((event: MessageEvent) => void) | null {
    return attributeListener(this, 'message') as ((event: MessageEvent) => void) | null;
  }
  set onmessage(handler: ((event: MessageEvent) => void) | null) {
    setAttributeListener(this, 'message', handler);
  }
  get onclose(): ((event: CloseEvent) => void) | null {
    return attributeListener(this, 'close') as ((event: CloseEvent) => void) | null;
  }
  set onclose(handler: ((event: CloseEvent) => void) | null) {
    setAttributeListener(this, 'close', handler);
  }
  get onerror(): ((event: ErrorEvent) => void) | null {
    return attributeListener(this, 'error') as ((event: ErrorEvent) => void) | null;
  }
  set onerror(handler: ((event: ErrorEvent) => void) | null) {
    setAttributeListener(this, 'error', handler);
  }

  /**
   * Sends a message. Frames of one turn of the event loop leave in one write.
   * @param callback called when the operating system has the bytes, or with the error.
   * @returns false: better wait for `drain` (or `callback`) before sending more.
   * @throws {Error} while CONNECTING. In CLOSING and CLOSED it does not throw: the callback gets the error.
   */
  send(data: SendData, callback?: SendCallback): boolean;
  send(data: SendData, options: SendOptions | undefined, callback?: SendCallback): boolean;
  send(data: SendData, options?: SendOptions | SendCallback, callback?: SendCallback): boolean {
    const session = this.#session;
    if (session.readyState === ReadyState.connecting) throw notOpenError(ReadyState.connecting);
    if (typeof options === 'function') return session.send(data, undefined, options);
    return session.send(data, options, callback);
  }

  /**
   * Waits until `send` may go on: until the connection is open, and what was sent has left.
   * @throws {Error} (rejects) when the connection is closed, or is before that.
   */
  ready(): Promise<void> {
    return this.#session.ready();
  }

  /**
   * Sends one message in parts as they come, its length unknown. Other messages wait for its end; pings do not.
   * @param source a stream of Node or the web, a generator, an array.
   * @returns resolves when all was passed on. Rejects with the source's error, after which the connection closes with
   *   1011, since the peer must not take a part for the whole; or when the connection closes first.
   */
  sendStream(source: StreamSource, options: SendStreamOptions = {}): Promise<void> {
    return this.#session.sendStream(source, options);
  }

  /**
   * Sends a ping of at most 125 bytes.
   * @throws {Error} while CONNECTING.
   * @throws {RangeError} for more than 125 bytes.
   */
  ping(callback?: SendCallback): void;
  ping(data: SendData, callback?: SendCallback): void;
  ping(data: SendData, mask: boolean | undefined, callback?: SendCallback): void;
  ping(data?: SendData | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    const control = this.#controlFrame(data, mask, callback);
    if (control !== null) this.#session.sendPing(control.payload, control.callback);
  }

  /** Sends a pong that answers no ping, of at most 125 bytes; throws as `ping` does. */
  pong(callback?: SendCallback): void;
  pong(data: SendData, callback?: SendCallback): void;
  pong(data: SendData, mask: boolean | undefined, callback?: SendCallback): void;
  pong(data?: SendData | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    const control = this.#controlFrame(data, mask, callback);
    if (control !== null) this.#session.sendPong(control.payload, control.callback);
  }

  #controlFrame(
    data: SendData | SendCallback,
    mask: boolean | SendCallback | undefined,
    callback: SendCallback | undefined,
  ): { payload: string | Uint8Array; callback: SendCallback | undefined } | null {
    const session = this.#session;
    if (session.readyState === ReadyState.connecting) throw notOpenError(ReadyState.connecting);
    let content: SendData;
    let done = callback;
    if (typeof data === 'function') done = data;
    else {
      content = data;
      if (typeof mask === 'function') done = mask;
    }
    if (session.readyState !== ReadyState.open) {
      session.countLate(content, done);
      return null;
    }
    const payload = toPayload(content);
    const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
    // RFC 6455 section 5.5: control frames carry at most 125 bytes.
    if (length > 125) throw new RangeError('The data size must not be greater than 125 bytes');
    return { payload, callback: done };
  }

  /**
   * Starts the closing handshake behind what was sent. While CONNECTING it gives up the handshake.
   * @param code 1000-1003, 1007-1014 or 3000-4999; none: an empty close frame.
   * @param data the reason, at most 123 bytes.
   * @throws {TypeError} for another code.
   * @throws {RangeError} for a longer reason.
   */
  close(code?: number, data?: string | Uint8Array): void {
    const session = this.#session;
    switch (session.readyState) {
      case ReadyState.connecting:
        this.#client?.abort('WebSocket was closed before the connection was established');
        return;
      case ReadyState.open:
        break;
      default:
        return;
    }
    if (code === undefined) {
      session.close(undefined, undefined);
      return;
    }
    if (typeof code !== 'number' || !isLegalCloseCode(code)) {
      throw new TypeError('First argument must be a valid error code number');
    }
    const reason = toPayload(data);
    const length = typeof reason === 'string' ? Buffer.byteLength(reason) : reason.length;
    // RFC 6455 section 5.5: a close frame carries at most 125 bytes, two of them the code.
    if (length > 123) throw new RangeError('The message must not be greater than 123 bytes');
    session.close(code, length === 0 ? EMPTY : reason);
  }

  /** Destroys the socket. While CONNECTING it gives up the handshake. */
  terminate(): void {
    const session = this.#session;
    if (session.readyState === ReadyState.closed) return;
    if (session.readyState === ReadyState.connecting) {
      this.#client?.abort('WebSocket was closed before the connection was established');
    } else {
      session.terminate();
    }
  }

  /** Stops reading; messages already read may still come. No-op in CONNECTING and CLOSED. */
  pause(): void {
    const session = this.#session;
    if (session.readyState === ReadyState.connecting || session.readyState === ReadyState.closed) return;
    session.isPaused = true;
    session.connection!.pause();
  }

  /** Reads on. No-op in CONNECTING and CLOSED. */
  resume(): void {
    const session = this.#session;
    if (session.readyState === ReadyState.connecting || session.readyState === ReadyState.closed) return;
    session.isPaused = false;
    session.connection!.resume();
  }

  /** The events that have listeners. */
  override eventNames(): (string | symbol)[] {
    return super.eventNames().filter((name) => this.listenerCount(name) > 0);
  }

  /** Adds a listener as the DOM has it, for `open`, `message`, `close` and `error`; others are ignored. */
  addEventListener<K extends keyof WebSocketEventMap>(
    type: K,
    listener: DomListener<WebSocketEventMap[K]>,
    options: EventListenerOptions = {},
  ): void {
    addDomListener(this, type, listener, Boolean(options.once), false);
  }

  /** Removes what `addEventListener` added. */
  removeEventListener<K extends keyof WebSocketEventMap>(
    type: K,
    listener: DomListener<WebSocketEventMap[K]>,
  ): void {
    removeDomListener(this, type, listener);
  }
}

/** Gives a server-side socket its connection. For the server of this folder only. */
export function attachConnection(socket: WebSocket, connection: NodeConnection): void {
  attachTo(socket, connection);
}

/** The inside of a socket. For this folder only. */
export function sessionOfSocket(socket: WebSocket): Session {
  return sessionOf(socket);
}
