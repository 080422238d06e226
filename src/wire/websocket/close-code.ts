/**
 * What: close codes and the body of a close frame (RFC 6455 sections 5.5.1 and 7.4).
 * Must not know: who closes, or why.
 */
import type { ByteCodec } from '../../base/port.ts';
import { controlPayloadLimitBytes } from './opcode.ts';

/** The codes that have a name. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never on the wire: the close frame had no code. */
  noStatus: 1005,
  /** Never on the wire: the connection ended without a close frame. */
  abnormal: 1006,
  invalidData: 1007,
  policyViolation: 1008,
  tooBig: 1009,
  extensionMissing: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
  /** Never on the wire: TLS failed. */
  tlsFailed: 1015,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Longest reason, in bytes of UTF-8: the code takes two of the frame's 125. */
export const closeReasonLimitBytes = controlPayloadLimitBytes - 2;

/**
 * Whether a code may stand in a close frame.
 * RFC 6455 section 7.4: 1004 to 1006 and 1015 must not be sent, 1016 to 2999 are not given out yet, below 1000 and
 * above 4999 there are none; 1012 to 1014 were registered later.
 */
export function isLegalCloseCode(code: number): boolean {
  return (
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999))
  );
}

/** The body of a close frame: two bytes of code, then the reason (RFC 6455 section 5.5.1). */
export function encodeCloseBody(code: number, reason: Uint8Array | string, codec: ByteCodec): Uint8Array {
  const bytes = typeof reason === 'string' ? codec.encodeUtf8(reason) : reason;
  const body = codec.allocate(2 + bytes.length);
  body[0] = code >> 8;
  body[1] = code & 0xff;
  body.set(bytes, 2);
  return body;
}

/** The code in a close frame's body; 1005 when the body is empty. A body of one byte has none: do not ask. */
export function decodeCloseCode(body: Uint8Array): number {
  return body.length === 0 ? CloseCode.noStatus : (body[0]! << 8) | body[1]!;
}
