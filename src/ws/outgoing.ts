/**
 * What: sending that is more than passing one message on: Blobs, fragments, streams, slow readers, and who waits.
 * Must not know: events and states; the session asks only while the connection is open.
 */
import { Buffer } from 'node:buffer';
import type { NodeConnection, SendCallback } from '../transport/websocket/node-connection.ts';
import { SendQueue } from '../transport/websocket/send-queue.ts';
import type { SharedMessage } from '../transport/websocket/shared-message.ts';
import { EMPTY, isBlob, payloadBytes, toPayload } from './data.ts';
import type { HeldMessage, HeldMessages } from './held-messages.ts';
import { sendRepeatable } from './repeated-send.ts';

/** The options of `send`, as the public class has them. */
export interface SendOptions {
  /** Whether the message is binary; default: whether `data` is not a string or number. */
  readonly binary?: boolean | undefined;
  /** Whether to compress where permessage-deflate was agreed on; default true. */
  readonly compress?: boolean | undefined;
  /** Whether this is the last fragment of a message; default true. */
  readonly fin?: boolean | undefined;
  /** Whether to mask; default: as the role demands. Peers must refuse anything else. */
  readonly mask?: boolean | undefined;
  /** Under the policy `keep-latest` for slow readers: of messages with the same key only the last one matters. */
  readonly key?: string | undefined;
}

/** The options of `sendStream`. */
export interface SendStreamOptions {
  /** Default: whether the first part is not a string. */
  readonly binary?: boolean | undefined;
  readonly compress?: boolean | undefined;
}

/** A message in parts: a stream of Node or the web, a generator, an array. */
export type StreamSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** What the session does when something goes wrong here. */
export interface OutgoingOwner {
  /** A Blob could not be read: `error`, and the connection ends. */
  blobFailed(error: Error): void;
  /** What was waited for has been passed on. */
  readyAgain(): void;
  /** A slow reader has passed its bound, and the policy is to close. */
  readerFailed(): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** There for the sockets that need it, while they do. */
export class Outgoing {
  readonly #connection: NodeConnection;
  readonly #owner: OutgoingOwner;
  /** There while a Blob is being read or a stream is sent, and what was sent behind it waits. */
  #queue: SendQueue | null = null;
  /** Whether the message of which fragments were sent is binary; null between messages. */
  #fragmentIsBinary: boolean | null = null;
  /** There with a policy for slow readers. */
  readonly #held: HeldMessages | null;
  #waiters: Waiter[] = [];
  /** The stream being sent, while it waits for the connection. */
  #partWaiter: Waiter | null = null;
  #abandonStream: ((error: Error) => void) | null = null;

  constructor(connection: NodeConnection, owner: OutgoingOwner, held: HeldMessages | null) {
    this.#connection = connection;
    this.#owner = owner;
    this.#held = held;
  }

  /** Whether the object is needed no longer: everything has been passed on, and nobody waits. */
  get isIdle(): boolean {
    return (
      this.#held === null &&
      this.#queue === null &&
      this.#fragmentIsBinary === null &&
      this.#waiters.length === 0
    );
  }

  /** Payload bytes that wait here. */
  get bytes(): number {
    return (this.#queue?.bytes ?? 0) + (this.#held?.bytes ?? 0);
  }

  /** Whether the program should wait before it sends more. */
  get shouldWait(): boolean {
    return this.#queue !== null || this.#isHolding;
  }

  /** With a policy for slow readers: whether a message must wait for those before it, or for the reader. */
  get #isHolding(): boolean {
    return this.#connection.shouldWait || (this.#held !== null && !this.#held.isEmpty);
  }

  /** @returns whether the program may go on at once. */
  send(data: unknown, options: SendOptions | undefined, callback: SendCallback | undefined): boolean {
    if (isBlob(data)) {
      this.#openQueue().addBlob(data, callback, (bytes) => this.#sendNow(bytes, options, true, callback));
      return false;
    }
    const isBinary = options?.binary ?? (typeof data !== 'string' && typeof data !== 'number');
    let payload = toPayload(data);
    if (this.#queue !== null) {
      this.#queue.add(payloadBytes(payload), callback, () =>
        this.#sendNow(payload, options, isBinary, callback),
      );
      return false;
    }
    if (this.#held !== null && this.#isHolding && options?.fin !== false && this.#fragmentIsBinary === null) {
      // The program may use its memory again.
      if (typeof payload !== 'string') payload = Buffer.from(payload);
      this.#hold({
        bytes: payloadBytes(payload),
        key: options?.key,
        callback,
        send: () => this.#sendNow(payload, options, isBinary, callback),
      });
      return false;
    }
    this.#sendNow(payload, options, isBinary, callback);
    return !this.shouldWait;
  }

  /** Sends a message that others get too. */
  sendShared(message: SharedMessage, compress: boolean, key: string | undefined): void {
    const send = () => void message.sendTo(this.#connection, compress);
    if (this.#queue !== null) this.#queue.add(message.bytes, undefined, send);
    else if (this.#held === null || !this.#isHolding) send();
    else this.#hold({ bytes: message.bytes, key, callback: undefined, send });
  }

  #hold(message: HeldMessage): void {
    if (!this.#held!.hold(message)) this.#owner.readerFailed();
  }

  #sendNow(
    payload: string | Uint8Array,
    options: SendOptions | undefined,
    isBinary: boolean,
    callback: SendCallback | undefined,
  ): void {
    const connection = this.#connection;
    const isFinal = options?.fin !== false;
    const compress = options?.compress !== false;
    const mask = options?.mask;
    if (mask !== undefined && mask !== (connection.options.role === 'client')) {
      connection.sendMasked(payload, isBinary, mask, callback);
      return;
    }
    const open = this.#fragmentIsBinary;
    if (!isFinal || open !== null) {
      this.#fragmentIsBinary = isFinal ? null : (open ?? isBinary);
      connection.sendFragment(payload, open ?? isBinary, open === null, isFinal, compress, callback);
    } else if (compress) {
      sendRepeatable(connection, payload, isBinary, callback);
    } else {
      connection.send(payload, isBinary, false, callback);
    }
  }

  /** Sends a ping or pong behind Blobs, but between the parts of a stream. */
  sendControl(bytes: number, callback: SendCallback | undefined, send: () => void): void {
    if (this.#queue === null || this.#queue.hasTask) send();
    else this.#queue.add(bytes, callback, send);
  }

  /** Runs `close` behind everything that was sent. */
  close(close: () => void): void {
    if (this.#queue !== null) {
      this.#queue.add(0, undefined, () => this.#closeNow(close));
    } else {
      this.#closeNow(close);
    }
  }

  #closeNow(close: () => void): void {
    this.#held?.release(() => true);
    close();
  }

  /** Sends a message of unknown length. Resolves when all of it was passed on. */
  sendStream(source: StreamSource, options: SendStreamOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const abandoned = (error?: Error | null) => reject(error);
      this.#openQueue().addTask(async () => {
        // The source may be silent for ever when the connection is closed.
        this.#abandonStream = reject;
        await this.#sendParts(source, options).then(resolve, reject);
        this.#abandonStream = null;
      }, abandoned);
    });
  }

  async #sendParts(source: StreamSource, { binary, compress = true }: SendStreamOptions): Promise<void> {
    const connection = this.#connection;
    let isBinary = binary ?? true;
    let isFirst = true;
    this.#held?.release(() => true);
    const put = (part: string | Uint8Array, isFinal: boolean) => {
      if (!connection.sendFragment(part, isBinary, isFirst, isFinal, compress)) {
        throw new Error('The socket was closed before the message was sent');
      }
      isFirst = false;
    };
    try {
      for await (const part of source) {
        if (isFirst && binary === undefined) isBinary = typeof part !== 'string';
        put(part, false);
        if (connection.shouldWait) await this.#drained();
      }
      put(EMPTY, true);
    } catch (error) {
      // What was begun cannot be taken back, and the peer must not take a part for the whole.
      if (!isFirst && connection.isOpen) connection.close(1011, 'A message could not be completed');
      throw error;
    }
  }

  /** Resolves when the program may go on; rejects when the connection closes. */
  ready(): Promise<void> {
    return this.shouldWait ? this.#wait() : Promise.resolve();
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#partWaiter = { resolve, reject };
    });
  }

  /** The connection takes more. @returns whether the program may go on too. */
  connectionDrained(): boolean {
    const part = this.#partWaiter;
    this.#partWaiter = null;
    part?.resolve();
    if (this.#queue === null) this.#held?.release(() => !this.#connection.shouldWait);
    return this.#tellWaiters();
  }

  #tellWaiters(): boolean {
    if (this.shouldWait) return false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
    return true;
  }

  /** The connection is closed. */
  connectionClosed(error: Error): void {
    this.#held?.discard(error);
    this.#partWaiter?.reject(error);
    this.#partWaiter = null;
    this.#abandonStream?.(error);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  #openQueue(): SendQueue {
    this.#queue ??= new SendQueue(
      () => this.#connection.socket.destroyed,
      () => {
        this.#queue = null;
        if (this.#tellWaiters()) this.#owner.readyAgain();
      },
      (error) => this.#owner.blobFailed(error),
    );
    return this.#queue;
  }
}
