/**
 * What: whom a WebSocket connection on Node tells what happens to it.
 * Must not know: sockets, frames, or who listens.
 */

/** Told what happens to a connection. One object, not an emitter, to keep an idle connection small. */
export interface ConnectionListener {
  /**
   * A complete message: the bytes from `start` to `end` of `source`. Text is well-formed UTF-8; see `decodeText`
   * in platform/node-byte-codec.ts. To keep the bytes, copy them, or take a view: nobody writes to the chunk
   * again, but a view pins the whole chunk (up to 64 kB).
   * @param isOwned `source` is memory that holds the message and nothing else, and belongs to the listener.
   */
  onMessage(source: Uint8Array, start: number, end: number, isBinary: boolean, isOwned: boolean): void;
  /** Delivery `pieces` only (`connection.machine.setDelivery`): a binary message as it came. */
  onPieces(pieces: Uint8Array[]): void;
  /** Delivery `stream` only; the calls of the machine's sink, passed through. `part` is valid during the call. */
  onStreamStart(isBinary: boolean): void;
  onStreamData(part: Uint8Array): void;
  onStreamEnd(): void;
  /** The peer's ping; answered already when `autoPong` is set. `data` is valid during the call only. */
  onPing(data: Uint8Array): void;
  onPong(data: Uint8Array): void;
  /** The peer's close frame came (1005: without a code); it has been answered. `onClose` follows. */
  onCloseFrame(code: number, reason: Uint8Array): void;
  /** The peer ended its side of the stream, or the socket broke. `onClose` follows. */
  onEnding(): void;
  /** The peer broke the protocol or a limit. At most once; `onClose` follows with 1006. */
  onError(error: Error): void;
  /** `shouldWait` went back to false. */
  onDrain(): void;
  /**
   * Exactly once, last: the socket is closed. 1006 when there was no close frame, or the peer broke the protocol.
   * `error` says why when there is a reason: the one given to `onError`, or the socket's (`ECONNRESET`).
   */
  onClose(code: number, reason: Uint8Array, error: Error | null): void;
}
