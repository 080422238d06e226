/**
 * What: the two kinds of error that Tautline reports: the peer's fault, or the caller's.
 * Must not know: any protocol; codes are given by whoever throws.
 */

export interface FaultDetails {
  /** Stable identifier that programs match on, such as `WS_ERR_INVALID_OPCODE`. */
  readonly code: string;
  /** The WebSocket close code that goes with it, where there is one (RFC 6455 section 7.4). */
  readonly closeCode?: number;
  /** The limit that was hit, if one was. */
  readonly limit?: { readonly name: string; readonly value: number };
  readonly cause?: unknown;
}

/** What all errors of Tautline have in common. */
export class Fault<Details extends FaultDetails = FaultDetails> extends Error {
  declare readonly code: Details['code'];
  declare readonly closeCode?: number;
  declare readonly limit?: { readonly name: string; readonly value: number };

  constructor(message: string, { cause, ...details }: Details) {
    // Browsers get the code for words (scripts/slim.mjs): each is explained in the documentation.
    super(message || details.code, cause === undefined ? undefined : { cause });
    Object.assign(this, details);
  }
}

/** The other side broke a protocol or passed a limit. The connection cannot go on; others are not affected. */
export class PeerError extends Fault {
  override get name(): string {
    return 'PeerError';
  }
}

/** The calling program asked for something that cannot be done. The message says what to do instead. */
export class UsageError extends Fault {
  override get name(): string {
    return 'UsageError';
  }
}
