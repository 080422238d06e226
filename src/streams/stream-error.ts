/**
 * What: the error of a stream, thrown on one side for the other to see, or seen by the one who asked.
 * Must not know: streams, or who refuses them.
 */
import { Fault, type FaultDetails } from '../base/errors.ts';
import type { StreamFailure } from './message.ts';

/** What goes along with the message of a {@link StreamError}. */
export interface StreamErrorDetails extends FaultDetails {
  /** Whatever the other side should know beside; it travels as an argument does. */
  readonly data?: unknown;
}

/**
 * Why a stream failed. One thrown in a handler of `onStream()` goes to the other side as it is, with code and `data`;
 * of any other error the other side learns only that there was one (`STREAM_ERR_FAILED`).
 */
export class StreamError extends Fault<StreamErrorDetails> {
  declare readonly data?: unknown;

  override get name(): string {
    return 'StreamError';
  }
}

/** What the other side learns of the error with which a stream that it has asked for was refused. */
export function refusalOf(name: string, error: unknown): StreamFailure {
  if (isStreamError(error)) return failureOf(error);
  return { message: `The stream "${name}" was refused.`, code: 'STREAM_ERR_REFUSED' };
}

/** An error of a stream as it travels. */
export function failureOf({ message, code, data }: StreamError): StreamFailure {
  return data === undefined ? { message, code } : { message, code, data };
}

/** Also one of another copy of this package: a program may load it as ES module and as CommonJS. */
export function isStreamError(error: unknown): error is StreamError {
  if (!(error instanceof Error) || error.name !== 'StreamError') return false;
  return typeof (error as Partial<StreamError>).code === 'string';
}
