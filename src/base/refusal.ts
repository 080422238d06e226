/**
 * What: how the sender of an event is told that it was not let through, by an answer or by an event of ours.
 * Must not know: who refuses, or what carries the words.
 */
import { PeerError } from './errors.ts';

/** One thing that is wrong with what was sent. */
export interface RefusalIssue {
  /** The number of the argument, from 0, then the keys inside of it. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Why an event, or an answer, was not let through. */
export interface EventRefusal {
  /** Stable: `CONTRACT_ERR_...` or `RATE_ERR_...`. */
  readonly code: string;
  readonly message: string;
  /** The event. */
  readonly event: string;
  /** What is wrong with its arguments; the first ten. */
  readonly issues?: readonly RefusalIssue[];
  /** When it may be sent again, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** The event by which a sender is told of a refusal where it has not asked for an answer. */
export const REFUSED_EVENT = 'tautline:refused';

/** What an acknowledgement that refuses has as its only argument. */
export interface RefusalAnswer {
  readonly error: EventRefusal;
}

/** The refusal in an answer; undefined if it is another answer. */
export function refusalIn(answer: readonly unknown[]): EventRefusal | undefined {
  const [first] = answer;
  if (answer.length !== 1 || typeof first !== 'object' || first === null) return undefined;
  const { error } = first as Partial<Record<'error', unknown>>;
  return isRefusal(error) ? error : undefined;
}

/** Whether a value that came from the other side tells of a refusal. */
export function isRefusal(value: unknown): value is EventRefusal {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message, event } = value as Partial<Record<keyof EventRefusal, unknown>>;
  const isOurs = typeof code === 'string' && /^(CONTRACT|RATE|EVENT)_ERR_/.test(code);
  return isOurs && typeof message === 'string' && typeof event === 'string';
}

/** An event, or the answer to one, was refused: by the other side, or here because the other side sent it wrong. */
export class RefusedError extends PeerError {
  /** What is said of it. */
  readonly refusal: EventRefusal;

  constructor(refusal: EventRefusal) {
    super(refusal.message, { code: refusal.code });
    this.refusal = refusal;
  }

  override get name(): string {
    return 'RefusedError';
  }
}
