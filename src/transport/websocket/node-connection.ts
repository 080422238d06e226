/**
 * What: joins a Node socket (net, tls, any Duplex) with the sans-I/O WebSocketConnection, either role: what is received,
 *   and how it ends.
 * Must not know: how frames are gathered and written (node-sender.ts), handshakes, HTTP, or the public API above it.
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { PeerError } from '../../base/errors.ts';
import type { ConnectionListener } from './connection-listener.ts';
import { type Heart, heartbeatFor } from './node-heartbeat.ts';
import { type NodeConnectionOptions, NodeSender } from './node-sender.ts';
import { bindSocket, type SocketOwner, unbindSocket } from './node-socket.ts';

export type { ConnectionListener } from './connection-listener.ts';
export type { SendCallback } from './node-outbox.ts';
export type { NodeConnectionOptions } from './node-sender.ts';

const EMPTY = new Uint8Array(0);
/** How long a client leaves the ending of TCP to the server (RFC 6455 section 7.1.1) before it does it itself. */
const SERVER_ENDS_WITHIN_MS = 1_000;

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
export class NodeConnection extends NodeSender implements SocketOwner, Heart {
  /** The subprotocol agreed on; empty when none. */
  readonly subprotocol: string;
  /** @internal */ closeCode = 1006;
  /** @internal */ closeReason: Uint8Array = EMPTY;
  /** @internal */ error: Error | null = null;
  /** @internal */ timer: ReturnType<typeof setTimeout> | null = null;
  /** @internal */ hasFailed = false;
  /** @internal The socket is closed. */ isEnded = false;
  /** @internal */ silentTicks = 0;

  constructor(socket: Duplex, options: NodeConnectionOptions, subprotocol = '') {
    super(socket, options);
    this.subprotocol = subprotocol;
  }

  /** Starts reading. Called once, in the turn in which the connection was made. */
  start(listener: ConnectionListener): void {
    this.listener = listener;
    const { socket } = this;
    bindSocket(socket, this);
    const { heartbeat } = this.options;
    if (heartbeat !== null) heartbeatFor(heartbeat).add(this);
    // Who handed it over may have held it back; not if its messages are to wait from the first on.
    if (socket.isPaused() && !this.machine.isPaused) socket.resume();
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
    if (!this.machine.isPaused) return;
    this.machine.resumeReceiving();
    if (this.machine.isPaused) return;
    if (this.isEnded) this.#finish();
    else this.socket.resume();
  }

  // What the heartbeat asks.

  /** @internal */
  askPeer(): void {
    if (this.#isSilentForUs()) return;
    if (this.isOpen) this.ping();
  }

  /** @internal */
  losePeer(): void {
    if (this.socket.destroyed || this.#isSilentForUs()) return;
    this.error ??= new PeerError('Nothing came from the peer, not even the answer to a ping', {
      code: 'WS_ERR_HEARTBEAT_TIMEOUT',
    });
    this.destroySocket();
  }

  /** Who does not read hears nothing, and must not blame the peer: the silence counts from the next reading on. */
  #isSilentForUs(): boolean {
    if (!this.socket.isPaused()) return false;
    this.silentTicks = 0;
    return true;
  }

  // What the machine tells.

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
    this.listener!.onEnding();
    this.isEnded = true;
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
