/**
 * What: gives errors the types and texts that programs written for `ws` look at.
 * Must not know: where an error came from.
 */
import { PeerError } from '../base/errors.ts';

/** A protocol error as `ws` types it, with what ours know besides: the close code sent and the limit hit. */
export type ProtocolError = Error & {
  code: string;
  closeCode?: number;
  limit?: { readonly name: string; readonly value: number };
};

/** Errors about the content of a message are plain errors; all others say that a number is out of its range. */
const plainCodes = new Set(['WS_ERR_INVALID_UTF8']);

export function toProtocolError(error: Error): Error {
  if (!(error instanceof PeerError)) return error;
  const { code, message, cause, closeCode, limit } = error;
  // What zlib says is passed on as it is.
  if (cause instanceof Error) return cause;
  const options = cause === undefined ? undefined : { cause };
  const result: ProtocolError = Object.assign(
    plainCodes.has(code) ? new Error(message, options) : new RangeError(message, options),
    { code },
  );
  if (closeCode !== undefined) result.closeCode = closeCode;
  if (limit !== undefined) result.limit = limit;
  return result;
}

/** What is wrong with a server's answer, as `ws` says it: a plain error. */
export function toHandshakeError(error: Error): Error {
  if (!(error instanceof PeerError)) return error;
  return Object.assign(new Error(error.message), { code: error.code });
}
