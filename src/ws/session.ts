/**
 * What: the life of one WebSocket behind the public class: state, sending in order, what becomes an event.
 * Must not know: argument overloads, HTTP, or which side opened the connection.
 */
import { Blob, Buffer } from 'node:buffer';
import type { PeerError } from '../base/errors.ts';
import { asBuffer, toArrayBuffer } from '../transport/platform/node-byte-codec.ts';
import type {
  ConnectionListener,
  NodeConnection,
  SendCallback,
} from '../transport/websocket/node-connection.ts';
import { SendQueue } from '../transport/websocket/send-queue.ts';
import type { SharedMessage } from '../transport/websocket/shared-message.ts';
import { EMPTY, isBlob, payloadBytes, toPayload } from './data.ts';
import { toProtocolError } from './error.ts';
import { sendRepeatable } from './repeated-send.ts';
import type { BinaryType, WebSocket } from './websocket.ts';

export const ReadyState = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];
const stateNames = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

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
}

/** What `send` and its kin throw or report when the connection is not open. */
export function notOpenError(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${stateNames[state]})`);
}

function isPlain(options: SendOptions): boolean {
  const { fin, mask, compress } = options;
  return fin === undefined && mask === undefined && compress === undefined;
}

/** One per WebSocket; plain fields, since there are thousands. */
export class Session implements ConnectionListener {
  readonly target: WebSocket;
  connection: NodeConnection | null = null;
  readyState: ReadyState = ReadyState.connecting;
  binaryType: BinaryType = 'nodebuffer';
  isPaused = false;
  /** Whether `error` was emitted: it is at most once. */
  hasErrored = false;
  closeFrameReceived = false;
  closeFrameSent = false;
  /** False: one event a turn (`allowSynchronousEvents`). */
  readonly isSynchronous: boolean;
  /** What was given to `send` in CLOSING and CLOSED: WHATWG counts it for ever. */
  lateBytes = 0;
  /** There while a Blob is being read, and what was sent behind it waits. */
  queue: SendQueue | null = null;
  /** Who keeps the socket in a list until it is closed; no listener, since there are thousands. */
  keeper: { forget(socket: WebSocket): void } | null = null;
  /** Whether the message of which fragments were sent is binary; null between messages. */
  fragmentIsBinary: boolean | null = null;

  constructor(target: WebSocket, isSynchronous: boolean) {
    this.target = target;
    this.isSynchronous = isSynchronous;
  }

  /** The connection is there: events may come from now on. */
  attach(connection: NodeConnection): void {
    this.connection = connection;
    this.readyState = ReadyState.open;
    if (this.binaryType === 'fragments') connection.machine.setDelivery('pieces');
    connection.start(this);
    this.target.emit('open');
  }

  get bufferedBytes(): number {
    const queued = this.queue === null ? 0 : this.queue.bytes;
    const waiting = this.connection === null ? 0 : this.connection.bufferedBytes;
    return this.lateBytes + queued + waiting;
  }

  setBinaryType(type: BinaryType): void {
    this.binaryType = type;
    this.connection?.machine.setDelivery(type === 'fragments' ? 'pieces' : 'whole');
  }

  // Sending.

  /** @returns whether the caller may go on at once; false: better wait for `drain`. */
  send(data: unknown, options: SendOptions | undefined, callback: SendCallback | undefined): boolean {
    const connection = this.connection;
    if (this.readyState !== ReadyState.open || connection === null) return this.#refuse(data, callback);
    if (
      this.queue === null &&
      this.fragmentIsBinary === null &&
      (options === undefined || isPlain(options))
    ) {
      // The way of nearly every message.
      const binary = options?.binary;
      if (typeof data === 'string') return sendRepeatable(connection, data, binary ?? false, callback);
      if (data instanceof Uint8Array) return sendRepeatable(connection, data, binary ?? true, callback);
    }
    if (isBlob(data)) {
      this.#openQueue().addBlob(data, callback, (bytes) => this.#sendNow(bytes, options, true, callback));
      return false;
    }
    const isBinary = options?.binary ?? (typeof data !== 'string' && typeof data !== 'number');
    const payload = toPayload(data);
    if (this.queue === null) return this.#sendNow(payload, options, isBinary, callback);
    this.queue.add(payloadBytes(payload), callback, () =>
      this.#sendNow(payload, options, isBinary, callback),
    );
    return false;
  }

  #sendNow(
    payload: string | Uint8Array,
    options: SendOptions | undefined,
    isBinary: boolean,
    callback: SendCallback | undefined,
  ): boolean {
    const connection = this.connection!;
    const isFinal = options?.fin !== false;
    const compress = options?.compress !== false;
    const mask = options?.mask;
    if (mask !== undefined && mask !== (connection.options.role === 'client')) {
      return connection.sendMasked(payload, isBinary, mask, callback);
    }
    const open = this.fragmentIsBinary;
    if (isFinal && open === null) {
      if (compress) return sendRepeatable(connection, payload, isBinary, callback);
      connection.send(payload, isBinary, false, callback);
    } else {
      this.fragmentIsBinary = isFinal ? null : (open ?? isBinary);
      connection.sendFragment(payload, open ?? isBinary, open === null, isFinal, compress, callback);
    }
    return !connection.shouldWait;
  }

  /** Sends a message that others get too. @returns false when it was not sent, since the connection is not open. */
  sendShared(
    message: SharedMessage,
    payload: string | Uint8Array,
    isBinary: boolean,
    compress: boolean,
  ): boolean {
    const connection = this.connection;
    if (this.readyState !== ReadyState.open || connection === null) return false;
    const isFree = this.queue === null && this.fragmentIsBinary === null;
    if (isFree && connection.options.role === 'server') return message.sendTo(connection, compress);
    this.send(payload, { binary: isBinary, compress }, undefined);
    return true;
  }

  /** `data` is at most 125 bytes. */
  sendPing(data: string | Uint8Array, callback: SendCallback | undefined): void {
    if (this.queue !== null)
      this.queue.add(payloadBytes(data), callback, () => this.connection!.ping(data, callback));
    else this.connection!.ping(data, callback);
  }

  /** `data` is at most 125 bytes. */
  sendPong(data: string | Uint8Array, callback: SendCallback | undefined): void {
    if (this.queue !== null)
      this.queue.add(payloadBytes(data), callback, () => this.connection!.pong(data, callback));
    else this.connection!.pong(data, callback);
  }

  #refuse(data: unknown, callback: SendCallback | undefined): boolean {
    this.countLate(data, callback);
    return false;
  }

  /** Counts what is sent too late, and tells the callback so. */
  countLate(data: unknown, callback: SendCallback | undefined): void {
    this.lateBytes += payloadBytes(data);
    if (callback !== undefined) process.nextTick(callback, notOpenError(this.readyState));
  }

  /** Starts the closing handshake behind everything that was sent. */
  close(code: number | undefined, reason: string | Uint8Array | undefined): void {
    this.readyState = ReadyState.closing;
    if (this.queue === null) this.#closeNow(code, reason);
    else this.queue.add(0, undefined, () => this.#closeNow(code, reason));
  }

  #closeNow(code: number | undefined, reason: string | Uint8Array | undefined): void {
    this.closeFrameSent = true;
    this.connection!.close(code, reason);
  }

  terminate(): void {
    this.readyState = ReadyState.closing;
    this.connection!.terminate();
  }

  #openQueue(): SendQueue {
    this.queue ??= new SendQueue(
      () => this.connection!.socket.destroyed,
      () => {
        this.queue = null;
      },
      (error) => {
        this.readyState = ReadyState.closing;
        this.connection!.abandon();
        this.emitError(error);
      },
    );
    return this.queue;
  }

  // What the connection tells.

  onMessage(source: Uint8Array, start: number, end: number, isBinary: boolean, isOwned: boolean): void {
    const data = isOwned ? source : source.subarray(start, end);
    if (!this.isSynchronous) this.#endTurn();
    if (!isBinary || this.binaryType === 'nodebuffer') {
      this.target.emit('message', data as Buffer, isBinary);
    } else if (this.binaryType === 'blob') {
      this.target.emit('message', new Blob([data]) as unknown as Buffer, true);
    } else {
      this.target.emit('message', toArrayBuffer(data), true);
    }
  }

  onPieces(pieces: Uint8Array[]): void {
    if (!this.isSynchronous) this.#endTurn();
    this.target.emit('message', pieces.map(asBuffer), true);
  }

  onStreamStart(): void {}
  onStreamData(): void {}
  onStreamEnd(): void {}

  onPing(data: Uint8Array): void {
    if (!this.isSynchronous) this.#endTurn();
    this.target.emit('ping', copy(data));
  }

  onPong(data: Uint8Array): void {
    if (!this.isSynchronous) this.#endTurn();
    this.target.emit('pong', copy(data));
  }

  /** Leaves the next event to the next turn. */
  #endTurn(): void {
    const connection = this.connection!;
    connection.holdMessages();
    setImmediate(() => connection.releaseMessages());
  }

  onCloseFrame(): void {
    this.closeFrameReceived = true;
    this.closeFrameSent = true;
    this.readyState = ReadyState.closing;
  }

  onEnding(): void {
    this.readyState = ReadyState.closing;
  }

  onError(error: Error): void {
    this.closeFrameSent = true;
    this.readyState = ReadyState.closing;
    this.emitError(toProtocolError(error as PeerError));
  }

  emitError(error: Error): void {
    if (this.hasErrored) return;
    this.hasErrored = true;
    this.target.emit('error', error);
  }

  onDrain(): void {
    this.target.emit('drain');
  }

  onClose(code: number, reason: Uint8Array): void {
    this.readyState = ReadyState.closed;
    this.keeper?.forget(this.target);
    this.target.emit('close', code, reason.length === 0 ? EMPTY : asBuffer(reason));
  }
}

function copy(data: Uint8Array): Buffer {
  return data.length === 0 ? EMPTY : Buffer.from(data);
}
