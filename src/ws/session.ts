/**
 * What: the life of one WebSocket behind the public class: state, sending in order, what becomes an event.
 * Must not know: argument overloads, HTTP, or which side opened the connection.
 */
import { Blob, Buffer } from 'node:buffer';
import { PeerError } from '../base/errors.ts';
import { asBuffer, toArrayBuffer } from '../transport/platform/node-byte-codec.ts';
import type {
  ConnectionListener,
  NodeConnection,
  SendCallback,
} from '../transport/websocket/node-connection.ts';
import type { SharedMessage } from '../transport/websocket/shared-message.ts';
import { CloseCode } from '../wire/websocket/close-code.ts';
import { EMPTY, payloadBytes } from './data.ts';
import { toProtocolError } from './error.ts';
import { HeldMessages, type SendStatistics, type SlowReaderOptions } from './held-messages.ts';
import { IncomingStream } from './incoming-stream.ts';
import {
  Outgoing,
  type OutgoingOwner,
  type SendOptions,
  type SendStreamOptions,
  type StreamSource,
} from './outgoing.ts';
import { sendRepeatable } from './repeated-send.ts';
import type { BinaryType, WebSocket } from './websocket.ts';

export type { SendOptions, SendStreamOptions, StreamSource } from './outgoing.ts';

export const ReadyState = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];
const stateNames = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

/** What `send` and its kin throw or report when the connection is not open. */
export function notOpenError(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${stateNames[state]})`);
}

function isPlain(options: SendOptions): boolean {
  const { fin, mask, compress } = options;
  return fin === undefined && mask === undefined && compress === undefined;
}

/** What all sockets of a server, or one client, have in common. */
export interface SessionOptions {
  /** False: one event a turn (`allowSynchronousEvents`). */
  readonly isSynchronous: boolean;
  readonly slowReader: SlowReaderOptions | null;
  /** Where what a slow reader costs is counted, besides the socket's own. */
  readonly counters: readonly SendStatistics[];
}

/** One per WebSocket; plain fields, since there are thousands. */
export class Session implements ConnectionListener, OutgoingOwner {
  readonly target: WebSocket;
  connection: NodeConnection | null = null;
  readyState: ReadyState = ReadyState.connecting;
  binaryType: BinaryType = 'nodebuffer';
  isPaused = false;
  isStreaming = false;
  /** Whether `error` was emitted: it is at most once. */
  hasErrored = false;
  closeFrameReceived = false;
  closeFrameSent = false;
  /** Shared by all sockets of a server. */
  readonly options: SessionOptions;
  /** What was given to `send` in CLOSING and CLOSED: WHATWG counts it for ever. */
  lateBytes = 0;
  /** There when sending is, or was, more than passing messages on. */
  outgoing: Outgoing | null = null;
  /** The message that is being received in parts. */
  incoming: IncomingStream | null = null;
  /** Why the connection broke; null before and when it did not. */
  failure: Error | null = null;
  /** Who keeps the socket in a list until it is closed; no listener, since there are thousands. */
  keeper: { forget(socket: WebSocket): void } | null = null;
  #statistics: SendStatistics | null = null;

  constructor(target: WebSocket, options: SessionOptions) {
    this.target = target;
    this.options = options;
  }

  /** The connection is there: events may come from now on. */
  attach(connection: NodeConnection): void {
    this.connection = connection;
    this.readyState = ReadyState.open;
    this.#applyDelivery();
    if (this.options.slowReader !== null) this.#openOutgoing(connection);
    connection.start(this);
    this.target.emit('open');
  }

  /** What this socket's reader has cost; made when first asked for. */
  get statistics(): SendStatistics {
    this.#statistics ??= { droppedMessages: 0, droppedBytes: 0 };
    return this.#statistics;
  }

  get bufferedBytes(): number {
    const queued = this.outgoing === null ? 0 : this.outgoing.bytes;
    const waiting = this.connection === null ? 0 : this.connection.bufferedBytes;
    return this.lateBytes + queued + waiting;
  }

  setBinaryType(type: BinaryType): void {
    this.binaryType = type;
    this.#applyDelivery();
  }

  /** Whether messages come as streams; holds from the next message on. */
  setStreaming(isStreaming: boolean): void {
    this.isStreaming = isStreaming;
    this.#applyDelivery();
  }

  #applyDelivery(): void {
    const delivery = this.isStreaming ? 'stream' : this.binaryType === 'fragments' ? 'pieces' : 'whole';
    this.connection?.machine.setDelivery(delivery);
  }

  // Sending.

  /** @returns whether the caller may go on at once; false: better wait for `drain`. */
  send(data: unknown, options: SendOptions | undefined, callback: SendCallback | undefined): boolean {
    const connection = this.connection;
    if (this.readyState !== ReadyState.open || connection === null) return this.#refuse(data, callback);
    const { outgoing } = this;
    if ((outgoing === null || outgoing.isIdle) && (options === undefined || isPlain(options))) {
      // The way of nearly every message.
      const binary = options?.binary;
      if (typeof data === 'string') return sendRepeatable(connection, data, binary ?? false, callback);
      if (data instanceof Uint8Array) return sendRepeatable(connection, data, binary ?? true, callback);
    }
    return this.#openOutgoing(connection).send(data, options, callback);
  }

  /** Sends a message that others get too. @returns false when it was not sent, since the connection is not open. */
  sendShared(message: SharedMessage, compress: boolean, key: string | undefined): boolean {
    const { connection, outgoing } = this;
    if (this.readyState !== ReadyState.open || connection === null) return false;
    if (outgoing === null || outgoing.isIdle) message.sendTo(connection, compress);
    else outgoing.sendShared(message, compress, key);
    return true;
  }

  /** Sends a message of unknown length, part by part. */
  sendStream(source: StreamSource, options: SendStreamOptions): Promise<void> {
    if (this.readyState !== ReadyState.open) return Promise.reject(notOpenError(this.readyState));
    return this.#openOutgoing(this.connection!).sendStream(source, options);
  }

  /** Resolves when the program may send; rejects when the connection is closed before. */
  ready(): Promise<void> {
    const { connection, readyState } = this;
    if (connection === null && readyState === ReadyState.connecting) return this.#opened();
    if (readyState !== ReadyState.open) return Promise.reject(notOpenError(readyState));
    return this.#openOutgoing(connection!).ready();
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = () => reject(notOpenError(this.readyState));
      const opened = () => {
        this.target.removeListener('close', failed);
        resolve();
      };
      this.target.once('open', opened);
      this.target.once('close', failed);
    });
  }

  #openOutgoing(connection: NodeConnection): Outgoing {
    const { slowReader, counters } = this.options;
    if (this.outgoing === null) {
      const held = slowReader ? new HeldMessages(slowReader, [this.statistics, ...counters]) : null;
      this.outgoing = new Outgoing(connection, this, held);
    }
    return this.outgoing;
  }

  /** `data` is at most 125 bytes. */
  sendPing(data: string | Uint8Array, callback: SendCallback | undefined): void {
    const send = () => void this.connection!.ping(data, callback);
    if (this.outgoing === null) send();
    else this.outgoing.sendControl(payloadBytes(data), callback, send);
  }

  /** `data` is at most 125 bytes. */
  sendPong(data: string | Uint8Array, callback: SendCallback | undefined): void {
    const send = () => void this.connection!.pong(data, callback);
    if (this.outgoing === null) send();
    else this.outgoing.sendControl(payloadBytes(data), callback, send);
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
    if (this.outgoing === null) this.#closeNow(code, reason);
    else this.outgoing.close(() => this.#closeNow(code, reason));
  }

  #closeNow(code: number | undefined, reason: string | Uint8Array | undefined): void {
    this.closeFrameSent = true;
    this.connection!.close(code, reason);
  }

  terminate(): void {
    this.readyState = ReadyState.closing;
    this.connection!.terminate();
  }

  // What the sending side tells.

  blobFailed(error: Error): void {
    this.readyState = ReadyState.closing;
    this.connection!.abandon();
    this.emitError(error);
  }

  readyAgain(): void {
    if (this.readyState === ReadyState.open) this.target.emit('drain');
  }

  readerFailed(): void {
    const { limitBytes } = this.options.slowReader!;
    const failure = new PeerError('The peer reads too slowly', {
      code: 'WS_ERR_SLOW_READER',
      closeCode: CloseCode.tryAgainLater,
      limit: { name: 'slowReader.limitBytes', value: limitBytes },
    });
    this.failure = failure;
    this.readyState = ReadyState.closing;
    this.outgoing!.connectionClosed(failure);
    this.#closeNow(CloseCode.tryAgainLater, 'Reading too slowly');
  }

  // What the connection tells.

  onMessage(source: Uint8Array, start: number, end: number, isBinary: boolean, isOwned: boolean): void {
    const data = isOwned ? source : source.subarray(start, end);
    if (!this.options.isSynchronous) this.#endTurn();
    if (!isBinary || this.binaryType === 'nodebuffer') {
      this.target.emit('message', data as Buffer, isBinary);
    } else if (this.binaryType === 'blob') {
      this.target.emit('message', new Blob([data]) as unknown as Buffer, true);
    } else {
      this.target.emit('message', toArrayBuffer(data), true);
    }
  }

  onPieces(pieces: Uint8Array[]): void {
    if (!this.options.isSynchronous) this.#endTurn();
    this.target.emit('message', pieces.map(asBuffer), true);
  }

  onStreamStart(isBinary: boolean): void {
    const incoming = new IncomingStream(this.connection!);
    this.incoming = incoming;
    if (!this.target.emit('stream', incoming, isBinary)) incoming.resume();
  }

  onStreamData(part: Uint8Array): void {
    this.incoming!.receive(part);
  }

  onStreamEnd(): void {
    this.incoming!.receiveEnd();
    this.incoming = null;
  }

  onPing(data: Uint8Array): void {
    if (!this.options.isSynchronous) this.#endTurn();
    this.target.emit('ping', copy(data));
  }

  onPong(data: Uint8Array): void {
    if (!this.options.isSynchronous) this.#endTurn();
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
    if (this.outgoing === null || this.outgoing.connectionDrained()) this.target.emit('drain');
  }

  onClose(code: number, reason: Uint8Array, error: Error | null): void {
    this.readyState = ReadyState.closed;
    this.failure ??= error === null ? null : toProtocolError(error);
    // Only where somebody gets it: an error with its stack costs as much as a twentieth of a whole connection.
    if (this.incoming !== null || this.outgoing !== null) {
      const lost = this.failure ?? notOpenError(ReadyState.closed);
      this.incoming?.destroy(lost);
      this.outgoing?.connectionClosed(lost);
    }
    this.keeper?.forget(this.target);
    this.target.emit('close', code, reason.length === 0 ? EMPTY : asBuffer(reason));
  }
}

function copy(data: Uint8Array): Buffer {
  return data.length === 0 ? EMPTY : Buffer.from(data);
}
