/**
 * What: what a WebSocket connection is told when it is made, and whom it tells what happens.
 * Must not know: how the connection does it, or what stands behind the sink.
 */
import type { PeerError } from '../../base/errors.ts';
import type { ByteCodec, Random } from '../../base/port.ts';
import type { DeflateUse } from './permessage-deflate.ts';

/** Which side of a connection this is: clients mask what they send, servers do not. */
export type Role = 'client' | 'server';

/** One object can serve any number of connections of the same kind: it is only read. */
export interface ConnectionOptions {
  readonly role: Role;
  readonly codec: ByteCodec;
  /** Masking keys (client role, RFC 6455 section 5.3): asked for four bytes a frame. */
  readonly random: Random;
  readonly deflate: DeflateUse | null;
  /** Largest message accepted, after inflation; 0 = no limit. */
  readonly payloadLimitBytes: number;
  /** Most frames of one message (`maxFragments` of ws); 0 = no limit. */
  readonly fragmentLimit: number;
  /** Most chunks in which one frame may come (`maxBufferedChunks` of ws); 0 = no limit. */
  readonly chunkLimit: number;
  /**
   * Real memory for a message that is being put together: what is allocated, objects included; 0 = no limit. A
   * message of unknown length is kept in blocks that double, so allow somewhat more than twice the payload limit.
   */
  readonly memoryBudgetBytes: number;
  /**
   * Messages up to this length arrive in memory of their own from `codec.allocate` (`isOwned`), for one pass and
   * one allocation: the unmasking writes there. Longer ones arrive as a part of the chunk where they lie in one
   * piece. 0 for who only reads during the call; a large number for who keeps every message.
   */
  readonly ownedUpToBytes: number;
  readonly checkUtf8: boolean;
  /** Answer pings by itself. */
  readonly autoPong: boolean;
  /** Answer the peer's close frame by itself. If not, call `sendClose` when ready (state `closingByPeer`). */
  readonly autoClose: boolean;
}

/**
 * Who acted last. `closingByUs`: our close frame is out, the peer's has not come; messages still arrive.
 * `closingByPeer`: the peer's has come, ours is not out (only without `autoClose`). `closedByX`: both close frames
 * were exchanged, X began; all that remains is to end TCP, the server first (RFC 6455 section 7.1.1).
 * `failed`: a protocol error, a limit, or the end of the stream without a closing handshake.
 */
export type ConnectionState =
  | 'open'
  | 'closingByUs'
  | 'closingByPeer'
  | 'closedByUs'
  | 'closedByPeer'
  | 'failed';

/**
 * How messages are handed over; may change at any time and holds from the next message on.
 * `whole`: `connectionMessage`. `pieces`: a binary message as the array of pieces in which it came
 * (`connectionPieces`; the `fragments` of ws), text whole. `stream`: every message as start, parts, end.
 */
export type Delivery = 'whole' | 'pieces' | 'stream';

/**
 * Who listens to a connection. Calls come synchronously from `receive` and the `send` methods. Any method of the
 * connection may be called from within a call; what `receive` is given then is kept and parsed later, in order.
 */
export interface ConnectionSink {
  /**
   * A complete message: the bytes from `start` to `end` of `source`. Text is well-formed UTF-8.
   * @param isOwned true: `source` is fresh memory that holds the message and nothing else (`start` 0, `end` its
   *   length) and belongs to the receiver of the call. false: `source` is a chunk, to be read during the call only.
   */
  connectionMessage(
    source: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isOwned: boolean,
  ): void;
  /** Delivery `pieces` only: a complete binary message; the pieces are owned by the receiver of the call. */
  connectionPieces(pieces: Uint8Array[]): void;
  /** Delivery `stream` only: a message begins. */
  connectionStreamStart(isBinary: boolean): void;
  /** Delivery `stream` only: a part, valid during the call only. Text may be split within a character. */
  connectionStreamData(part: Uint8Array): void;
  /** Delivery `stream` only: the message is complete. Not called when the connection fails before. */
  connectionStreamEnd(): void;
  /** `data` is valid during the call only. A pong was already put out when `autoPong` is set. */
  connectionPing(data: Uint8Array): void;
  /** `data` is valid during the call only. */
  connectionPong(data: Uint8Array): void;
  /**
   * The peer's close frame; code 1005 when it had none. `reason` is valid during the call only. Comes once; the
   * answer, if it was our turn and `autoClose` is set, has been put out, and `state` tells.
   */
  connectionCloseReceived(code: number, reason: Uint8Array): void;
  /**
   * The peer broke the protocol or a limit. The close frame with `error.closeCode` has been put out, if none was
   * before. Nothing more is parsed.
   */
  connectionFailed(error: PeerError): void;
  /** `receiveEnd` was called and everything that came before it has been handed over. */
  connectionEnded(): void;
  /** The array that `connectionReserve` has made room in. Read after each call of it. */
  readonly outputTarget: Uint8Array;
  /**
   * Makes room for `length` bytes in `outputTarget`, next in order on the wire, and returns their offset. The
   * connection fills them completely before it calls anything else. A frame costs no array this way: frames of
   * one turn can lie one behind the other. A plain sink sets `outputTarget = new Uint8Array(length)`, notes it
   * as the next output, and returns 0.
   */
  connectionReserve(length: number): number;
  /**
   * Bytes for the wire, in order, that exist already: a shared frame, or a large payload behind its header.
   * Not to be changed by anyone until they are written.
   */
  connectionOutput(bytes: Uint8Array): void;
  /**
   * Bytes for the wire, in order, as characters below 256: the short frames of a server whose text is ASCII. A sink that
   * has this joins texts in place of writing each into memory; without it `connectionReserve` is asked for them too.
   */
  connectionCharacters?(characters: string): void;
}
