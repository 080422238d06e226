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

export interface ConnectionOptions {
  readonly role: Role;
  readonly codec: ByteCodec;
  /** Masking keys (client role, RFC 6455 section 5.3). */
  readonly random: Random;
  readonly deflate: { readonly agreement: DeflateAgreement; readonly port: DeflatePort } | null;
  /** Largest message accepted, after inflation; 0 = no limit. */
  readonly payloadLimitBytes: number;
  /** Most frames of one message (`maxFragments` of ws); 0 = no limit. */
  readonly fragmentLimit: number;
  /** Most separately kept chunks (`maxBufferedChunks` of ws); 0 = no limit. */
  readonly chunkLimit: number;
  /** Real memory for reassembly, objects included; 0 = no limit. */
  readonly memoryBudgetBytes: number;
  readonly checkUtf8: boolean;
  /** Answer pings by itself. */
  readonly autoPong: boolean;
}

/** Who listens to a connection. Calls come synchronously from `receive` and the `send` methods. */
export interface ConnectionSink {
  /**
   * A complete message; text is well-formed UTF-8.
   * @param isOwned false: `data` is a view of the chunk given to `receive`, valid during this call only; copy to keep.
   */
  connectionMessage(data: Uint8Array, isBinary: boolean, isOwned: boolean): void;
  /** `data` is valid during the call only. A pong was already put out when `autoPong` is set. */
  connectionPing(data: Uint8Array): void;
  connectionPong(data: Uint8Array): void;
  /** The peer's close frame; code 1005 when it had none. The echo, if it was our turn, has been put out. */
  connectionCloseReceived(code: number, reason: Uint8Array): void;
  /** The peer broke the protocol or a limit; the close frame with `error.closeCode` has been put out. Nothing more is parsed. */
  connectionFailed(error: PeerError): void;
  /** Bytes for the wire, in order. Owned by the receiver of the call. */
  connectionOutput(bytes: Uint8Array): void;
}
