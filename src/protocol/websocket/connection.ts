/**
 * What: one open WebSocket connection as a sans-I/O state machine, either role (RFC 6455 sections 5 to 7, RFC 7692).
 * Must not know: sockets, timers, Node, HTTP. Bytes come in, calls on the sink go out.
 */
import type { PeerError } from '../../base/errors.ts';
import type { ByteCodec, DeflatePort, Random } from '../../base/port.ts';

export type Role = 'client' | 'server';

/** What both ends agreed on for permessage-deflate (RFC 7692 section 7.1), seen from this side. */
export interface DeflateAgreement {
  readonly ownWindowBits: number;
  readonly peerWindowBits: number;
  readonly ownContextTakeover: boolean;
  readonly peerContextTakeover: boolean;
}

/** How this side uses what was agreed on. */
export interface DeflateUse {
  readonly agreement: DeflateAgreement;
  readonly port: DeflatePort;
  /** Messages shorter than this are sent as they are when this side keeps no context. */
  readonly thresholdBytes: number;
}

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
  /** Most separately kept chunks (`maxBufferedChunks` of ws); 0 = no limit. */
  readonly chunkLimit: number;
  /** Real memory for reassembly, objects included; 0 = no limit. */
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
}

/**
 * One open WebSocket connection: parses what comes, frames what goes, and does the closing handshake.
 * What it does not do: time limits, ending TCP, queueing. Those are the shell's.
 */
export class WebSocketConnection {
  constructor(options: ConnectionOptions, sink: ConnectionSink) {
    void [options, sink];
  }

  /** Who acted last; sending does something in `open` only (and `sendClose` in `closingByPeer`). */
  get state(): ConnectionState {
    throw new Error('in the next commit');
  }
  /** Whether `pauseReceiving` is in force. */
  get isPaused(): boolean {
    throw new Error('in the next commit');
  }
  /** Bytes that were received and wait unparsed because of `pauseReceiving`. */
  get heldBytes(): number {
    throw new Error('in the next commit');
  }

  /**
   * Takes the next bytes from the peer. They are unmasked in place; the chunk is free for reuse on return.
   * Never throws by itself; what the sink throws passes through, and parsing goes on behind that message with
   * the next `receive` or `resumeReceiving`.
   */
  receive(chunk: Uint8Array): void {
    throw new Error('in the next commit');
  }
  /** The peer has ended its side of the stream (TCP FIN). Nothing may be received after it. */
  receiveEnd(): void {
    throw new Error('in the next commit');
  }
  /**
   * Stops after the message (delivery `stream`: the part) that is being handed over. What has arrived is kept; the
   * shell stops reading from the socket.
   */
  pauseReceiving(): void {
    throw new Error('in the next commit');
  }
  /** Parses what was kept, until the next pause, and goes on. */
  resumeReceiving(): void {
    throw new Error('in the next commit');
  }

  /**
   * Sends a complete message in one frame. Up to 4 KiB header and payload go out together, by
   * `connectionReserve`; a larger payload of a server goes out uncopied, by `connectionOutput`.
   * @param compress false: not compressed even where deflate was agreed on.
   * @returns whether it was put out: false when not `open`.
   */
  sendMessage(data: Uint8Array | string, isBinary: boolean, compress?: boolean): boolean {
    throw new Error('in the next commit');
  }
  /**
   * Sends a part of a message of unknown length as a frame. Between the first and the final part only control
   * frames and further parts may be sent.
   */
  sendFragment(
    data: Uint8Array | string,
    isBinary: boolean,
    isFirst: boolean,
    isFinal: boolean,
    compress?: boolean,
  ): boolean {
    throw new Error('in the next commit');
  }
  /**
   * Sends a frame that was made for many receivers, by `encodeServerFrame` or `encodeDeflatedServerFrame`.
   * Server role only. @param isDeflated made by the latter, for the same window as agreed on here.
   */
  sendEncoded(frame: Uint8Array, isDeflated?: boolean): boolean {
    throw new Error('in the next commit');
  }
  /** @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes (RFC 6455 section 5.5). */
  sendPing(data: Uint8Array | string): boolean {
    throw new Error('in the next commit');
  }
  /** @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes (RFC 6455 section 5.5). */
  sendPong(data: Uint8Array | string): boolean {
    throw new Error('in the next commit');
  }
  /**
   * Begins the closing handshake, or answers the peer's. Nothing can be sent after it.
   * @param code 1000-1003, 1007-1014 or 3000-4999; none: an empty close frame.
   * @param reason at most 123 bytes of UTF-8.
   * @throws {UsageError} `WS_INVALID_CLOSE_CODE`, `WS_CLOSE_REASON_TOO_LONG`.
   */
  sendClose(code?: number, reason?: Uint8Array | string): boolean {
    throw new Error('in the next commit');
  }
  /** Changes how messages are handed over, from the next one on. */
  setDelivery(delivery: Delivery): void {
    throw new Error('in the next commit');
  }
  /** Frees what is held: reassembly, compression contexts. The shell calls it when the socket is gone. */
  dispose(): void {
    throw new Error('in the next commit');
  }
}
