/**
 * What: the interface `WebSocketStream`: a WebSocket as a readable and a writable stream, with backpressure both ways.
 * Must not know: frames, sockets, HTTP.
 *
 * It is not in the living standard yet. This follows the draft (https://github.com/whatwg/websockets/pull/48) and,
 * where that is silent or would lose messages, Chromium.
 */

import { expose } from '../base/event.ts';
import { requireArguments, toDictionary, toDomString, toStrings, toUsvString } from '../base/web-idl.ts';
import { checkSubprotocols, toAddress } from './address.ts';
import { toBytes } from './buffer-source.ts';
import { Channel, type ChannelClosed, ReadyState } from './channel.ts';
import { checkClose } from './close-info.ts';
import type { ConnectionInit } from './init.ts';
import {
  createWebSocketError,
  toCloseInfo,
  type WebSocketCloseInfo,
  WebSocketError,
} from './websocket-error.ts';

/** What a `WebSocketStream` can be told. */
export interface WebSocketStreamOptions extends ConnectionInit {
  /** Subprotocols, of which the server must choose one. */
  protocols?: Iterable<string> | undefined;
  /** Gives up the handshake; without effect when the connection is open. */
  signal?: AbortSignal | undefined;
}

/** What an open connection is used by. */
export interface WebSocketOpenInfo {
  /** Text messages as strings, binary ones as bytes. Messages that are not read are not taken from the network. */
  readable: ReadableStream<string | Uint8Array<ArrayBuffer>>;
  /** A promise of `write()` is fulfilled when the next message can be sent. */
  writable: WritableStream<string | ArrayBuffer | ArrayBufferView>;
  /** The extensions in use, as the server named them. */
  extensions: string;
  /** The subprotocol that the server chose; empty when none was asked for. */
  protocol: string;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function defer<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onFulfilled, onRejected) => {
    resolve = onFulfilled;
    reject = onRejected;
  });
  // A program that looks at one of the two promises only must not be ended by the other.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/**
 * A WebSocket as a readable and a writable stream, with backpressure both ways.
 *
 * `await stream.opened` gives the streams. A program that looks at one of `opened` and `closed` only is not ended by
 * the rejection of the other.
 */
export class WebSocketStream {
  readonly #url: string;
  readonly #opened = defer<WebSocketOpenInfo>();
  readonly #closed = defer<Required<WebSocketCloseInfo>>();
  #channel: Channel | null = null;
  #stopListening = (): void => {};
  #readable: ReadableStreamDefaultController<string | Uint8Array<ArrayBuffer>> | null = null;
  #writable: WritableStreamDefaultController | null = null;
  /** The `write()` that waits until more can be sent. */
  #writing: Deferred<void> | null = null;
  /** The `close()` of the writable side, which waits for the closing handshake. */
  #closing: Deferred<void> | null = null;

  /**
   * Starts connecting.
   * @param url absolute, with the scheme `ws`, `wss`, `http` or `https`.
   * @throws {DOMException} `SyntaxError` for a URL or subprotocol that is not allowed.
   */
  constructor(url: string | URL, options: WebSocketStreamOptions = {}) {
    const failed = "Failed to construct 'WebSocketStream'";
    // biome-ignore lint/complexity/noArguments: Web IDL counts what was passed.
    requireArguments(failed, arguments.length, 1);
    const text = toUsvString(url);
    const init = toDictionary(`${failed}: the second argument`, options);
    const protocols = init.protocols === undefined ? [] : toStrings(`${failed}: protocols`, init.protocols);
    const { signal } = init;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError(`${failed}: signal is not an AbortSignal`);
    }
    const address = toAddress(text);
    checkSubprotocols(protocols);
    this.#url = address.href;
    if (signal?.aborted) {
      this.#giveUp(signal.reason);
      return;
    }
    const channel = new Channel(
      address,
      protocols,
      init,
      {
        channelOpened: () => this.#open(channel),
        channelReceived: (data) => this.#received(channel, data),
        channelDrained: () => this.#drained(),
        channelClosed: (closed) => this.#ended(closed),
      },
      { holdsMessages: true },
    );
    this.#channel = channel;
    if (signal !== undefined) {
      const abort = () => {
        if (channel.readyState !== ReadyState.connecting) return;
        channel.abort();
        this.#giveUp(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#stopListening = () => signal.removeEventListener('abort', abort);
    }
  }

  /** The URL, serialized. */
  get url(): string {
    return this.#url;
  }

  /** Fulfilled when the connection is open; rejected with a {@link WebSocketError} or the signal's reason. */
  get opened(): Promise<WebSocketOpenInfo> {
    // Web IDL: what gives promises does not throw.
    if (!(#opened in this)) return Promise.reject(new TypeError('Illegal invocation'));
    return this.#opened.promise;
  }

  /**
   * Fulfilled with the peer's code and reason when the connection was closed cleanly; rejected with a
   * {@link WebSocketError} when it was not. In Node, `error.cause` says why.
   */
  get closed(): Promise<Required<WebSocketCloseInfo>> {
    if (!(#closed in this)) return Promise.reject(new TypeError('Illegal invocation'));
    return this.#closed.promise;
  }

  /**
   * Starts the closing handshake behind everything that was sent; before it is open, gives up connecting.
   * @throws {DOMException} `InvalidAccessError` for the code, `SyntaxError` for the reason.
   */
  close(closeInfo: WebSocketCloseInfo = {}): void {
    const info = toCloseInfo("Failed to execute 'close' on 'WebSocketStream': the argument", closeInfo);
    const channel = this.#channel;
    checkClose(info.code, info.reason);
    channel?.close(info.code, info.reason);
  }

  /** The handshake was aborted by the program: nothing else will be reported. */
  #giveUp(reason: unknown): void {
    this.#opened.reject(reason);
    this.#closed.reject(reason);
  }

  #open(channel: Channel): void {
    this.#stopListening();
    const readable = new ReadableStream<string | Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#readable = controller;
      },
      // One message is let through; it stops the connection again.
      pull: () => channel.release(),
      cancel: (reason) => {
        this.#readable = null;
        this.#closeUsing(channel, reason);
      },
    });
    const writable = new WritableStream<string | ArrayBuffer | ArrayBufferView>({
      start: (controller) => {
        this.#writable = controller;
        // A stream waits for its last write before it aborts: that must not be until the peer reads on.
        controller.signal.addEventListener('abort', () => this.#drained());
      },
      write: (chunk) => this.#write(channel, chunk),
      close: () => {
        channel.close(null, '');
        if (channel.readyState === ReadyState.closed) return undefined;
        this.#closing = defer();
        return this.#closing.promise;
      },
      abort: (reason) => this.#closeUsing(channel, reason),
    });
    const { extensions, protocol } = channel;
    this.#opened.resolve({ extensions, protocol, readable, writable });
  }

  /** "Close using reason". */
  #closeUsing(channel: Channel, reason: unknown): void {
    let code: number | null = null;
    let text = '';
    if (reason instanceof WebSocketError) {
      ({ closeCode: code, reason: text } = reason);
      try {
        checkClose(code, text);
      } catch {
        // One that the WebSocket itself made, such as 1006, cannot be sent.
        code = null;
        text = '';
      }
    }
    channel.close(code, text);
  }

  #write(channel: Channel, chunk: unknown): Promise<void> | undefined {
    const message = toBytes(chunk) ?? toDomString(chunk);
    // In the closing handshake it is discarded, as by `WebSocket`.
    if (!channel.canSend) return undefined;
    channel.send(message, typeof message !== 'string');
    if (!channel.shouldWait) return undefined;
    this.#writing = defer();
    return this.#writing.promise;
  }

  #drained(): void {
    this.#writing?.resolve();
    this.#writing = null;
  }

  #received(channel: Channel, data: string | Uint8Array<ArrayBuffer>): void {
    // Cancelled: the rest is of interest only for the close frame behind it.
    if (this.#readable === null) channel.release();
    else this.#readable.enqueue(data);
  }

  #ended({ wasClean, code, reason, error }: ChannelClosed): void {
    this.#stopListening();
    this.#opened.reject(createWebSocketError('The WebSocket was closed before it was open', null, '', error));
    if (wasClean) {
      this.#readable?.close();
      if (this.#closing === null) {
        const message = 'A closed WebSocketStream cannot be written to';
        this.#writable?.error(new DOMException(message, 'InvalidStateError'));
      }
      this.#closed.resolve({ closeCode: code, reason });
      this.#closing?.resolve();
    } else {
      const failure = createWebSocketError('The WebSocket was not closed cleanly', code, reason, error);
      this.#readable?.error(failure);
      if (this.#closing === null) this.#writable?.error(failure);
      this.#closing?.reject(failure);
      this.#closed.reject(failure);
    }
    // It cannot be sent any more, and a stream waits for its last write before it shows its error.
    this.#writing?.resolve();
  }
}

expose(WebSocketStream.prototype, 'WebSocketStream', ['url', 'opened', 'closed', 'close']);
