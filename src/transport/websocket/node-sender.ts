/**
 * What: the sending half of a WebSocket connection on Node: messages into the outbox, the outbox into the socket.
 * Must not know: what is received, and how the connection ends; the class that extends this does.
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { PeerError } from '../../base/errors.ts';
import { WebSocketConnection } from '../../protocol/websocket/connection.ts';
import type { ConnectionOptions, ConnectionSink } from '../../protocol/websocket/connection-port.ts';
import { encodeFrame, framePayloadLength } from '../../wire/websocket/frame.ts';
import { Opcode } from '../../wire/websocket/opcode.ts';
import type { ConnectionListener } from './connection-listener.ts';
import type { HeartbeatSettings } from './node-heartbeat.ts';
import {
  borrowOutbox,
  type Outbox,
  type OutboxOwner,
  reservedTarget,
  returnOutbox,
  type SendCallback,
  scheduleFlush,
} from './node-outbox.ts';
import { expectDrain } from './node-socket.ts';

/** What the shell adds to the machine's options. One object for all connections of a kind: it is only read. */
export interface NodeConnectionOptions extends ConnectionOptions {
  /** How long the peer may take for its close frame and for ending TCP, in ms; then the socket is destroyed. */
  readonly closeTimeoutMs: number;
  /** Finds peers that have gone without a word; null: not. */
  readonly heartbeat: HeartbeatSettings | null;
  /** Whether pings are answered; the machine's own `autoPong` is off, since it does not know who reads slowly. */
  readonly answersPings: boolean;
}

/** Larger payloads of a server are not copied by the machine (see `sendMessage`). */
const UNCOPIED_ABOVE_BYTES = 4_096;
/** From so many bytes in one turn on, senders are told to wait: the kernel takes about as much at once. */
const HIGH_WATER_BYTES = 65_536;
const EMPTY = new Uint8Array(0);

/** Payloads of pings to be answered when the peer reads again. Rare, so it is no field of every connection. */
const unansweredPings = new WeakMap<NodeSender, Uint8Array>();

/** See `NodeConnection`, which is this and the receiving half. Plain fields: there are thousands of these. */
export abstract class NodeSender implements ConnectionSink, OutboxOwner {
  readonly socket: Duplex;
  /** @internal */
  readonly options: NodeConnectionOptions;
  /** The state machine; for what this class does not pass on (`setDelivery`, `sendFragment` of streams). */
  readonly machine: WebSocketConnection;
  /** Replaced when a connection changes hands. */
  listener: ConnectionListener | null = null;
  /** @internal */ outbox: Outbox | null = null;
  /** @internal */ waitsForDrain = false;

  constructor(socket: Duplex, options: NodeConnectionOptions) {
    this.socket = socket;
    this.options = options;
    this.machine = new WebSocketConnection(options, this);
  }

  abstract connectionMessage(
    source: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isOwned: boolean,
  ): void;
  abstract connectionPieces(pieces: Uint8Array[]): void;
  abstract connectionStreamStart(isBinary: boolean): void;
  abstract connectionStreamData(part: Uint8Array): void;
  abstract connectionStreamEnd(): void;
  abstract connectionPong(data: Uint8Array): void;
  abstract connectionCloseReceived(code: number, reason: Uint8Array): void;
  abstract connectionFailed(error: PeerError): void;
  abstract connectionEnded(): void;

  /** Whether permessage-deflate was agreed on. */
  get isDeflated(): boolean {
    return this.options.deflate !== null;
  }

  /** Whether messages can be sent: no close frame has gone or come, and the socket lives. */
  get isOpen(): boolean {
    return this.machine.state === 'open' && !this.socket.destroyed;
  }

  /** Bytes handed over and not yet taken by the operating system; what this turn gathered counts by payload. */
  get bufferedBytes(): number {
    const queued = this.outbox === null ? 0 : this.outbox.payloadBytes;
    return queued + this.socket.writableLength;
  }

  /** Whether the caller should wait for `onDrain` before it sends more. */
  get shouldWait(): boolean {
    if (this.waitsForDrain) return true;
    return this.outbox !== null && this.outbox.bytes >= HIGH_WATER_BYTES;
  }

  /**
   * Sends a message in one frame. Bytes above 4 KiB are not copied: they are passed to the socket before the call
   * returns, and must not change until `callback`.
   * @returns false when the connection is not open; `callback` then gets no call.
   */
  send(data: Uint8Array | string, isBinary: boolean, compress = true, callback?: SendCallback): boolean {
    const before = this.outbox === null ? 0 : this.outbox.bytes;
    if (!this.machine.sendMessage(data, isBinary, compress)) return false;
    const length =
      typeof data === 'string' && !this.isDeflated
        ? framePayloadLength(this.outbox!.bytes - before, this.options.role === 'client')
        : payloadLength(data);
    this.#sent(length, callback);
    // The caller may write to a large payload again after this turn's other work; the kernel shall have it before.
    if (length > UNCOPIED_ABOVE_BYTES) this.flush();
    return true;
  }

  sendText(data: string | Uint8Array, compress = true, callback?: SendCallback): boolean {
    return this.send(data, false, compress, callback);
  }

  sendBinary(data: Uint8Array, compress = true, callback?: SendCallback): boolean {
    return this.send(data, true, compress, callback);
  }

  /** Sends a part of a message of unknown length; see the machine's `sendFragment`. */
  sendFragment(
    data: Uint8Array | string,
    isBinary: boolean,
    isFirst: boolean,
    isFinal: boolean,
    compress = true,
    callback?: SendCallback,
  ): boolean {
    if (!this.machine.sendFragment(data, isBinary, isFirst, isFinal, compress)) return false;
    const length = payloadLength(data);
    this.#sent(length, callback);
    if (length > UNCOPIED_ABOVE_BYTES) this.flush();
    return true;
  }

  /**
   * Sends a frame made for many receivers (`encodeServerFrame`, `encodeDeflatedServerFrame`); server role only.
   * @param payloadBytes what it adds to `bufferedBytes`.
   */
  sendFrame(
    frame: Uint8Array,
    callback?: SendCallback,
    isDeflated = false,
    payloadBytes = frame.length,
  ): boolean {
    if (!this.machine.sendEncoded(frame, isDeflated)) return false;
    this.#sent(payloadBytes, callback);
    return true;
  }

  /** @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes. */
  ping(data: Uint8Array | string = EMPTY, callback?: SendCallback): boolean {
    if (!this.machine.sendPing(data)) return false;
    this.#sent(payloadLength(data), callback);
    return true;
  }

  /** @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes. */
  pong(data: Uint8Array | string = EMPTY, callback?: SendCallback): boolean {
    if (!this.machine.sendPong(data)) return false;
    this.#sent(payloadLength(data), callback);
    return true;
  }

  /**
   * Sends a message in a frame masked or not against the rule of the role: for talking to peers that break it too.
   */
  sendMasked(
    data: Uint8Array | string,
    isBinary: boolean,
    isMasked: boolean,
    callback?: SendCallback,
  ): boolean {
    if (!this.isOpen) return false;
    const { codec, random } = this.options;
    const key = new Uint8Array(4);
    if (isMasked) random.fill(key);
    const frame = encodeFrame(
      {
        opcode: isBinary ? Opcode.binary : Opcode.text,
        payload: typeof data === 'string' ? codec.encodeUtf8(data) : data,
        isFinal: true,
        isDeflated: false,
        maskKey: isMasked ? key[0]! | (key[1]! << 8) | (key[2]! << 16) | (key[3]! << 24) : null,
      },
      codec,
    );
    this.connectionOutput(frame);
    this.#sent(payloadLength(data), callback);
    return true;
  }

  /** Passes what was gathered to the socket now instead of at the end of the turn. */
  flush(): void {
    const { outbox } = this;
    if (outbox === null) return;
    this.outbox = null;
    const { socket } = this;
    const wasFull = outbox.bytes >= HIGH_WATER_BYTES;
    if (socket.destroyed || socket.writableEnded) {
      outbox.discard(new Error('The socket was closed before the data was written'));
    } else if (!outbox.flush(socket)) {
      if (!this.waitsForDrain) {
        this.waitsForDrain = true;
        expectDrain(socket);
      }
    } else if (wasFull && !this.waitsForDrain) {
      // The kernel took all of it at once: no `drain` will come, but somebody may have been told to wait.
      queueMicrotask(() => {
        if (!this.shouldWait && !socket.destroyed) this.listener?.onDrain();
      });
    }
    returnOutbox(outbox);
  }

  #sent(payloadBytes: number, callback: SendCallback | undefined): void {
    const { outbox } = this;
    if (outbox === null) return;
    outbox.payloadBytes += payloadBytes;
    if (callback !== undefined) outbox.notify(callback);
  }

  #openOutbox(): Outbox {
    const outbox = borrowOutbox();
    this.outbox = outbox;
    scheduleFlush(this);
    return outbox;
  }

  // What the machine tells.

  /** @internal */
  get outputTarget(): Uint8Array {
    return reservedTarget();
  }

  /** @internal */
  connectionReserve(length: number): number {
    return (this.outbox ?? this.#openOutbox()).reserve(length);
  }

  /** @internal */
  connectionOutput(bytes: Uint8Array): void {
    (this.outbox ?? this.#openOutbox()).append(bytes);
  }

  /** @internal */
  connectionCharacters(characters: string): void {
    (this.outbox ?? this.#openOutbox()).appendText(characters);
  }

  /** @internal */
  connectionPing(data: Uint8Array): void {
    if (this.options.answersPings) {
      // RFC 6455 section 5.5.3: of several pings the last may be answered alone. A peer that pings and does not read
      // would otherwise fill our memory with answers.
      if (this.shouldWait) unansweredPings.set(this, Buffer.from(data));
      else this.machine.sendPong(data);
    }
    this.listener!.onPing(data);
  }

  // What the socket tells.

  /** @internal */
  socketDrained(): void {
    this.waitsForDrain = false;
    const ping = unansweredPings.get(this);
    if (ping !== undefined) {
      unansweredPings.delete(this);
      this.machine.sendPong(ping);
    }
    this.listener!.onDrain();
  }
}

function payloadLength(data: Uint8Array | string): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length;
}
