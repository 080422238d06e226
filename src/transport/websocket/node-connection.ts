/**
 * What: joins a Node socket (net, tls, any Duplex) with the sans-I/O WebSocketConnection, either role.
 * Must not know: handshakes, HTTP, or the public API above it (`ws`, engine).
 */
import type { Duplex } from 'node:stream';

/** Told what happens to a connection. One object, not an emitter, to keep an idle connection small. */
export interface ConnectionListener {
  /**
   * A complete message. Text is well-formed UTF-8 bytes (decode with `nodeByteCodec.decodeUtf8`).
   * @param isOwned false: `data` is a view of the chunk that was read. Nobody else writes to it, so it may be
   * kept, but it pins the whole chunk (up to 64 kB); copy what is small.
   */
  onMessage(data: Uint8Array, isBinary: boolean, isOwned: boolean): void;
  /** The peer's ping; answered already when `autoPong` is set. */
  onPing(data: Uint8Array): void;
  onPong(data: Uint8Array): void;
  /** The peer's close frame came (1005: without a code). The echo is on its way. `onClose` follows. */
  onCloseFrame(code: number, reason: Uint8Array): void;
  /** The peer broke the protocol or a limit, or the socket failed. At most once; `onClose` follows with 1006. */
  onError(error: Error): void;
  /** Bytes waiting went from "should wait" to none: `shouldWait` is false again. */
  onDrain(): void;
  /** Exactly once, last: the socket is closed. 1006 when there was no close frame. `error` as given to `onError`. */
  onClose(code: number, reason: Uint8Array, error: Error | null): void;
}

/** Called when the bytes were taken by the operating system, or will never be. */
export type SendCallback = (error?: Error | null) => void;

/** The signatures that builders C and E write against; the class follows in this file. */
export interface NodeConnectionShape {
  readonly socket: Duplex;
  /** The subprotocol agreed on; empty when none. */
  readonly subprotocol: string;
  /** Whether permessage-deflate was agreed on. */
  readonly isDeflated: boolean;
  /** Replaced when a connection changes hands. */
  listener: ConnectionListener;
  /** Starts reading. Called once, after `listener` was given. */
  start(listener: ConnectionListener): void;
  /** Bytes handed over and not yet taken by the operating system. */
  readonly bufferedBytes: number;
  /** Whether the caller should wait for `onDrain` before it sends more. */
  readonly shouldWait: boolean;
  /** Whether messages can be sent: no close frame was sent or received and the socket lives. */
  readonly isOpen: boolean;
  sendText(data: string | Uint8Array, compress?: boolean, callback?: SendCallback): void;
  sendBinary(data: Uint8Array, compress?: boolean, callback?: SendCallback): void;
  /** A complete unmasked frame shared by many receivers (server role only); see `encodeSharedFrame`. */
  sendFrame(frame: Uint8Array, callback?: SendCallback): void;
  ping(data?: Uint8Array, callback?: SendCallback): void;
  pong(data?: Uint8Array, callback?: SendCallback): void;
  /** Starts the close handshake after what was sent; without a code the close frame is empty. Idempotent. */
  close(code?: number, reason?: string | Uint8Array): void;
  /** Destroys the socket. Idempotent. */
  terminate(): void;
  pause(): void;
  resume(): void;
}
