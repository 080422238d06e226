/**
 * What: joins a Node socket (net, tls, any Duplex) with the sans-I/O WebSocketConnection, either role.
 * Must not know: handshakes, HTTP, or the public API above it (`ws`, engine).
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { PeerError } from '../../base/errors.ts';
import { WebSocketConnection } from '../../protocol/websocket/connection.ts';
import type { ConnectionOptions, ConnectionSink } from '../../protocol/websocket/connection-port.ts';
import { encodeFrame } from '../../wire/websocket/frame.ts';
import { Opcode } from '../../wire/websocket/opcode.ts';
import type { ConnectionListener } from './connection-listener.ts';
import { type Heart, type HeartbeatSettings, heartbeatFor } from './node-heartbeat.ts';
import {
  borrowOutbox,
  type Outbox,
  type OutboxOwner,
  reservedTarget,
  returnOutbox,
  type SendCallback,
  scheduleFlush,
} from './node-outbox.ts';
import { bindSocket, expectDrain, type SocketOwner, unbindSocket } from './node-socket.ts';

export type { ConnectionListener } from './connection-listener.ts';
export type { SendCallback } from './node-outbox.ts';

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
/** How long a client leaves the ending of TCP to the server (RFC 6455 section 7.1.1) before it does it itself. */
const SERVER_ENDS_WITHIN_MS = 1_000;

/** Payloads of pings to be answered when the peer reads again. Rare, so it is no field of every connection. */
const unansweredPings = new WeakMap<NodeConnection, Uint8Array>();

function onCloseTimeout(connection: NodeConnection): void {
  connection.destroySocket();
}
function onEndTimeout(connection: NodeConnection): void {
  connection.socket.end();
}

/**
 * One WebSocket connection on a Node socket. Plain fields: there are thousands of these, and an idle one holds
 * nothing that it does not need.
 */
export class NodeConnection implements ConnectionSink, OutboxOwner, SocketOwner, Heart {
  readonly socket: Duplex;
  /** The subprotocol agreed on; empty when none. */
  readonly subprotocol: string;
  /** @internal */
  readonly options: NodeConnectionOptions;
  /** The state machine; for what this class does not pass on (`setDelivery`, `sendFragment` of streams). */
  readonly machine: WebSocketConnection;
  /** Replaced when a connection changes hands. */
  listener: ConnectionListener | null = null;
  /** @internal */ outbox: Outbox | null = null;
  /** @internal */ closeCode = 1006;
  /** @internal */ closeReason: Uint8Array = EMPTY;
  /** @internal */ error: Error | null = null;
  /** @internal */ timer: ReturnType<typeof setTimeout> | null = null;
  /** @internal */ waitsForDrain = false;
  /** @internal */ hasFailed = false;
  /** @internal The socket is closed. */ isEnded = false;
  /** @internal */ silentTicks = 0;

  constructor(socket: Duplex, options: NodeConnectionOptions, subprotocol = '') {
    this.socket = socket;
    this.options = options;
    this.subprotocol = subprotocol;
    this.machine = new WebSocketConnection(options, this);
  }

  /** Starts reading. Called once, in the turn in which the connection was made. */
  start(listener: ConnectionListener): void {
    this.listener = listener;
    const { socket } = this;
    bindSocket(socket, this);
    const { heartbeat } = this.options;
    if (heartbeat !== null) heartbeatFor(heartbeat).add(this);
    // Who handed it over may have held it back.
    if (socket.isPaused()) socket.resume();
  }

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
    if (!this.machine.sendMessage(data, isBinary, compress)) return false;
    const length = payloadLength(data);
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
   * Starts the closing handshake behind what was sent. Idempotent; then waits `closeTimeoutMs` at most.
   * @param code none: an empty close frame.
   * @throws {UsageError} `WS_INVALID_CLOSE_CODE`, `WS_CLOSE_REASON_TOO_LONG`.
   */
  close(code?: number, reason?: string | Uint8Array): void {
    if (!this.machine.sendClose(code, reason)) return;
    this.flush();
    this.#startTimer(onCloseTimeout, this.options.closeTimeoutMs);
  }

  /** Passes on what this turn gathered and destroys the socket. Idempotent. */
  terminate(): void {
    this.flush();
    this.destroySocket();
  }

  /** The socket as programs read it: with addresses and the facts of TLS. */
  get rawSocket(): Duplex {
    return this.socket;
  }

  /** @internal Where a stream of HTTP/2 tells its peer that this is no orderly end. */
  destroySocket(): void {
    this.socket.destroy();
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

  /** Ends the connection without a close frame, after what was sent; the peer has `closeTimeoutMs` to end too. */
  abandon(): void {
    this.flush();
    this.#endSocket();
    this.#startTimer(onCloseTimeout, this.options.closeTimeoutMs);
  }

  /** Stops reading. Messages of the chunk being parsed still come, as with `ws`. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Holds back what comes, from the next message of the present chunk on, until `releaseMessages`. */
  holdMessages(): void {
    this.machine.pauseReceiving();
    this.socket.pause();
  }

  releaseMessages(): void {
    this.machine.resumeReceiving();
    if (this.machine.isPaused) return;
    if (this.isEnded) this.#finish();
    else this.socket.resume();
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

  // What the heartbeat asks.

  /** @internal */
  askPeer(): void {
    if (this.isOpen) this.ping();
  }

  /** @internal */
  losePeer(): void {
    if (this.socket.destroyed) return;
    this.error ??= new PeerError('Nothing came from the peer, not even the answer to a ping', {
      code: 'WS_ERR_HEARTBEAT_TIMEOUT',
    });
    this.destroySocket();
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
  connectionMessage(
    source: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isOwned: boolean,
  ): void {
    this.listener!.onMessage(source, start, end, isBinary, isOwned);
  }

  /** @internal */
  connectionPieces(pieces: Uint8Array[]): void {
    this.listener!.onPieces(pieces);
  }

  /** @internal */
  connectionStreamStart(isBinary: boolean): void {
    this.listener!.onStreamStart(isBinary);
  }

  /** @internal */
  connectionStreamData(part: Uint8Array): void {
    this.listener!.onStreamData(part);
  }

  /** @internal */
  connectionStreamEnd(): void {
    this.listener!.onStreamEnd();
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

  /** @internal */
  connectionPong(data: Uint8Array): void {
    this.listener!.onPong(data);
  }

  /** @internal */
  connectionCloseReceived(code: number, reason: Uint8Array): void {
    this.closeCode = code;
    if (reason.length > 0) this.closeReason = Buffer.from(reason);
    this.listener!.onCloseFrame(code, this.closeReason);
    this.flush();
    // Nothing more is parsed, but the socket must be read for its end to be seen.
    this.socket.resume();
    // RFC 6455 section 7.1.1: the server ends TCP first, so that the waiting state of TCP stays with it.
    if (this.options.role === 'server') {
      this.#endSocket();
      this.#startTimer(onCloseTimeout, this.options.closeTimeoutMs);
    } else {
      this.#startTimer(onEndTimeout, Math.min(SERVER_ENDS_WITHIN_MS, this.options.closeTimeoutMs));
    }
  }

  /** @internal */
  connectionFailed(error: PeerError): void {
    this.hasFailed = true;
    this.error = error;
    this.flush();
    this.socket.resume();
    this.#endSocket();
    this.#startTimer(onCloseTimeout, this.options.closeTimeoutMs);
    // Last: the listener may throw.
    this.listener!.onError(error);
  }

  /** @internal */
  connectionEnded(): void {
    this.listener!.onEnding();
    this.flush();
    this.#endSocket();
  }

  // What the socket tells.

  /** @internal */
  socketReceived(chunk: Uint8Array): void {
    this.silentTicks = 0;
    this.machine.receive(chunk);
  }

  /** @internal */
  socketReceivedEnd(): void {
    this.machine.receiveEnd();
  }

  /** @internal */
  socketFailed(error: Error): void {
    if (this.isEnded) return;
    this.error ??= error;
    this.listener!.onEnding();
    this.destroySocket();
  }

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

  /** @internal */
  socketClosed(): void {
    const { socket } = this;
    unbindSocket(socket);
    // A paused socket may hold what came before its end; it is still a part of the conversation.
    const rest: unknown = socket.readableLength > 0 ? socket.read() : null;
    if (rest instanceof Uint8Array) this.machine.receive(rest);
    if (this.timer !== null) clearTimeout(this.timer);
    const { heartbeat } = this.options;
    if (heartbeat !== null) heartbeatFor(heartbeat).remove(this);
    this.flush();
    this.isEnded = true;
    this.listener!.onEnding();
    // Messages are being held: who holds them gets them before the end.
    if (!this.machine.isPaused || this.machine.heldBytes === 0) this.#finish();
  }

  #finish(): void {
    this.machine.dispose();
    this.listener!.onClose(this.hasFailed ? 1006 : this.closeCode, this.closeReason, this.error);
  }

  /** Once: ending a stream again costs Node an error that nobody sees. */
  #endSocket(): void {
    if (!this.socket.writableEnded) this.socket.end();
  }

  #startTimer(callback: (connection: NodeConnection) => void, delayMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(callback, delayMs, this);
  }
}

function payloadLength(data: Uint8Array | string): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length;
}
