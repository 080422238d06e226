/**
 * What: the ports through which pure code reaches time, chance, compression and fast byte work.
 * Must not know: any platform (Node, browser); implementations live on F3 and above.
 */

/** Time, as the engine and everything above it sees it. */
export interface Clock {
  /** Milliseconds on a clock that never goes back. Only differences have a meaning. */
  nowMs(): number;
  /** Calls `callback` once, not before `delayMs` have passed. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Forgets the timer; harmless when it has fired or was cancelled before. */
  cancel(): void;
}

/** Chance. Cryptographic wherever a peer must not guess (masking keys, session ids, nonces). */
export interface Random {
  /** Fills `target` with random bytes. */
  fill(target: Uint8Array): void;
}

/**
 * Byte work for which a platform may have something faster than portable code.
 * `base/portable-byte-codec.ts` is the twin that works everywhere.
 */
export interface ByteCodec {
  /** Uninitialised bytes that are about to be overwritten completely. */
  allocate(length: number): Uint8Array;
  /** Whether the bytes are well-formed UTF-8 (RFC 3629). */
  isUtf8(bytes: Uint8Array): boolean;
  /** Decodes bytes known to be well-formed UTF-8. A leading BOM is kept. */
  decodeUtf8(bytes: Uint8Array): string;
  /** Encodes as UTF-8; lone surrogates become U+FFFD. */
  encodeUtf8(text: string): Uint8Array;
  /** The number of bytes that `encodeUtf8` would give. */
  utf8Length(text: string): number;
  /** Writes UTF-8 at `offset` and returns the bytes written; the caller has made sure that they fit. */
  writeUtf8(target: Uint8Array, text: string, offset: number): number;
  /** Standard base64 with padding (RFC 4648 section 4). */
  encodeBase64(bytes: Uint8Array): string;
  /** The inverse; `null` when the text is not base64. */
  decodeBase64(text: string): Uint8Array | null;
}

/** What writing packets as text needs; small, so that browsers need not load more. */
export type TextCodec = Pick<ByteCodec, 'utf8Length' | 'encodeBase64' | 'decodeBase64'>;

/**
 * One direction of raw DEFLATE (RFC 1951) with its sliding window.
 * Synchronous: a message in pieces is fed piece by piece, so no call is long.
 */
export interface Deflater {
  /** Compresses `input` and flushes to a byte boundary (Z_SYNC_FLUSH), the four bytes 00 00 ff ff included. */
  deflate(input: Uint8Array): Uint8Array;
  /** Forgets the window, as at the start. */
  reset(): void;
  /** Frees native memory; no call may follow. */
  close(): void;
}

/** The other direction: raw DEFLATE (RFC 1951) to bytes, within a limit. */
export interface Inflater {
  /**
   * Inflates `input`, giving at most `limitBytes` bytes.
   * @returns the bytes, or `null` when the output would pass `limitBytes` (nothing more is inflated).
   * @throws {Error} with `code` `Z_DATA_ERROR` when the input is not DEFLATE.
   */
  inflate(input: Uint8Array, limitBytes: number): Uint8Array | null;
  /** Forgets the window, as at the start. */
  reset(): void;
  /** Frees native memory; no call may follow. */
  close(): void;
}

/** Makes compressors for negotiated parameters (RFC 7692 section 7.1). */
export interface DeflatePort {
  /** @param windowBits 8 to 15: the window has 2 to the power of it bytes. */
  createDeflater(windowBits: number): Deflater;
  /** @param windowBits at least those that the other side compresses with. */
  createInflater(windowBits: number): Inflater;
  /** Whether another connection should let its peer refer to earlier messages. Absent: always. */
  hasRoomForPeer?(windowBits: number): boolean;
  /** A connection has agreed that its peer refers to earlier messages: an inflater may live as long as it does. */
  reserveForPeer?(windowBits: number): void;
  /** That connection has ended. Once for each {@link DeflatePort.reserveForPeer}. */
  releaseForPeer?(windowBits: number): void;
}
