/**
 * What: the life of one connection as the standard tells it, behind `WebSocket` and `WebSocketStream`: the ready
 *   state, "close the WebSocket", and what the protocol feeds back as tasks.
 * Must not know: events, streams, Blobs.
 */

import { hasBadPort } from '../base/bad-port.ts';
import { decodeText, toArrayBuffer } from '../transport/platform/node-byte-codec.ts';
import { queueNetworkTask, queueTask } from '../transport/platform/node-task-queue.ts';
import type { ConnectionListener, SendCallback } from '../transport/websocket/node-connection.ts';
import { type Connection, type Connector, connectorKey } from './connector.ts';
import type { ConnectionInit } from './init.ts';
import { connectInNode } from './node-connector.ts';

export const ReadyState = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];

/** How a connection ended. */
export interface ChannelClosed {
  /** Whether both close frames were exchanged before the end (RFC 6455 section 7.1.4). */
  readonly wasClean: boolean;
  readonly code: number;
  readonly reason: string;
  /** Why the connection was failed; null when it was not ("fail the WebSocket connection"). */
  readonly error: Error | null;
}

/** The object of the interface. Each method is called as a task of its own, but for `channelDrained`. */
export interface ChannelOwner {
  /** The ready state has become `open`. */
  channelOpened(): void;
  /** A message; bytes are the whole of an `ArrayBuffer` of their own. */
  channelReceived(data: string | Uint8Array<ArrayBuffer>): void;
  /** What was sent has left: more can be sent. */
  channelDrained(): void;
  /** Exactly once, last. */
  channelClosed(closed: ChannelClosed): void;
}

export interface ChannelOptions {
  /** Stop behind each message until `release()`, and before the first: the backpressure of `WebSocketStream`. */
  readonly holdsMessages: boolean;
}

export class Channel implements ConnectionListener {
  readyState: ReadyState = ReadyState.connecting;
  /** Empty until the connection is open. */
  extensions = '';
  /** Empty until the connection is open. */
  protocol = '';
  readonly #owner: ChannelOwner;
  readonly #options: ChannelOptions;
  /** Why we ended the connection ourselves. */
  #error: Error | null = null;
  #connection: Connection | null = null;
  #handshake: { abort(): void } | null = null;

  constructor(
    address: URL,
    protocols: readonly string[],
    init: ConnectionInit & { readonly [connectorKey]?: Connector },
    owner: ChannelOwner,
    options: ChannelOptions,
  ) {
    this.#owner = owner;
    this.#options = options;
    if (hasBadPort(address)) {
      // Fetch, "main fetch": a bad port is a network error, not an exception.
      queueTask(() => this.#fail(new Error(`Port ${address.port} is blocked by the Fetch standard`)));
      return;
    }
    const connect = init[connectorKey] ?? connectInNode;
    this.#handshake = connect(address, protocols, init, {
      opened: (connection, extensions) => this.#established(connection, extensions),
      failed: (error) => queueNetworkTask(() => this.#fail(error)),
    });
  }

  /** Whether a message would go out: open, and no close frame has gone or come. */
  get canSend(): boolean {
    return this.readyState === ReadyState.open && this.#connection!.isOpen;
  }

  /** Whether frames can go out, whatever the ready state says. */
  get isConnected(): boolean {
    return this.#connection?.isOpen ?? false;
  }

  /** Whether the caller should wait for `channelDrained` before it sends more. */
  get shouldWait(): boolean {
    return this.#connection?.shouldWait ?? false;
  }

  /** @returns false when the message was not sent; `callback` is not called then. */
  send(data: Uint8Array | string, isBinary: boolean, callback?: SendCallback): boolean {
    return this.#connection?.send(data, isBinary, true, callback) ?? false;
  }

  /**
   * "Close the WebSocket", with a code and reason that were checked. Does nothing in `closing` and `closed`.
   * @param startHandshake sends the close frame by `closeNow`, behind what waits to be sent; absent: at once.
   */
  close(code: number | null, reason: string, startHandshake?: () => void): void {
    if (this.readyState >= ReadyState.closing) return;
    const isConnecting = this.readyState === ReadyState.connecting;
    this.readyState = ReadyState.closing;
    if (isConnecting) {
      // Not yet established: "fail the WebSocket connection".
      const error = new Error('The WebSocket was closed before the connection was established');
      this.#error = error;
      this.abort();
      queueTask(() => this.#fail(error));
    } else if (startHandshake !== undefined) {
      startHandshake();
    } else {
      this.closeNow(code, reason);
    }
  }

  /** Sends the close frame. */
  closeNow(code: number | null, reason: string): void {
    const connection = this.#connection!;
    // Without code and reason the close frame has no body; a reason needs a code before it.
    if (code !== null) connection.close(code, reason);
    else if (reason !== '') connection.close(1000, reason);
    else connection.close();
    // The peer's close frame may stand behind messages that nobody reads.
    this.release();
  }

  /** Gives up before the connection is open. */
  abort(): void {
    this.readyState = ReadyState.closing;
    this.#handshake?.abort();
    this.#handshake = null;
    // It may be there already, with the open event still to come.
    this.#connection?.terminate();
  }

  /** Ends the connection at once, for a reason that is not the peer's. */
  terminate(error: Error): void {
    this.readyState = ReadyState.closing;
    this.#error ??= error;
    this.#connection?.terminate();
  }

  /** Lets the next message come. */
  release(): void {
    if (this.#options.holdsMessages) this.#connection?.releaseMessages();
  }

  #established(connection: Connection, extensions: string): void {
    this.#handshake = null;
    this.#connection = connection;
    connection.start(this);
    if (this.#options.holdsMessages) connection.holdMessages();
    queueNetworkTask(() => {
      // It may have been closed since: then the connection goes without ever having been open.
      if (this.readyState !== ReadyState.connecting) return;
      this.readyState = ReadyState.open;
      this.extensions = extensions;
      this.protocol = connection.subprotocol;
      this.#owner.channelOpened();
    });
  }

  #fail(error: Error): void {
    this.#closed({ wasClean: false, code: 1006, reason: '', error });
  }

  #closed(closed: ChannelClosed): void {
    if (this.readyState === ReadyState.closed) return;
    this.readyState = ReadyState.closed;
    this.#owner.channelClosed(closed);
  }

  // What the connection tells.

  onMessage(source: Uint8Array, start: number, end: number, isBinary: boolean): void {
    const data = isBinary
      ? new Uint8Array(toArrayBuffer(source.subarray(start, end)))
      : decodeText(source, start, end);
    // In the closing handshake only the peer's close frame is of interest.
    if (this.#options.holdsMessages && this.readyState < ReadyState.closing) this.#connection!.holdMessages();
    queueNetworkTask(() => {
      if (this.readyState === ReadyState.open) this.#owner.channelReceived(data);
    });
  }

  onCloseFrame(): void {
    // "When the WebSocket closing handshake is started".
    queueNetworkTask(() => this.#closing());
  }

  onError(): void {
    // "Fail the WebSocket connection" has begun; `onClose` comes with the error.
    queueNetworkTask(() => this.#closing());
  }

  #closing(): void {
    if (this.readyState < ReadyState.closing) this.readyState = ReadyState.closing;
  }

  onDrain(): void {
    this.#owner.channelDrained();
  }

  onClose(code: number, reason: Uint8Array, error: Error | null): void {
    // Failing is for a connection that broke or was broken off; what happens to the socket behind a complete
    // closing handshake is of no interest. Deviation from RFC 6455 section 7.2.1, to the same effect as in
    // browsers: a stream that ends without a close frame, but in order, is unclean without being a failure.
    const wasClean = code !== 1006;
    const text = decodeText(reason, 0, reason.length);
    const cause = wasClean ? null : (this.#error ?? error);
    queueNetworkTask(() => this.#closed({ wasClean, code, reason: text, error: cause }));
  }

  // Not shown by these interfaces.
  onPieces(): void {}
  onStreamStart(): void {}
  onStreamData(): void {}
  onStreamEnd(): void {}
  onPing(): void {}
  onPong(): void {}
  onEnding(): void {}
}
