/**
 * What: what the two ends of a stream say to each other, as arguments of one event (docs/protocol/streams.md).
 * Must not know: sockets, iterators, or who is on which side.
 */

/** The event that carries everything that streams say. No program should use the name itself. */
export const STREAM_EVENT = 'tautline:stream';

/** The most parts that one who asks may have granted and not got. What an answering side keeps is bounded by it. */
export const CREDIT_LIMIT = 1024;

/** Why a stream failed, as it travels. */
export interface StreamFailure {
  readonly message: string;
  readonly code: string;
  readonly data?: unknown;
}

/** What the asking side says. */
export type AskingMessage =
  | readonly ['open', id: number, name: string, credit: number, args: readonly unknown[]]
  | readonly ['more', id: number, credit: number]
  | readonly ['cancel', id: number];

/** What the answering side says. */
export type AnsweringMessage =
  | readonly ['part', id: number, value: unknown]
  | readonly ['end', id: number, failure?: StreamFailure];

export type StreamMessage = AskingMessage | AnsweringMessage;

/**
 * Reads the arguments of a stream event, whoever has written them.
 * @returns null for what is no such message: it is passed over. Arguments behind are left out: Socket.IO's
 * connection state recovery puts one there.
 */
export function readStreamMessage(args: readonly unknown[]): StreamMessage | null {
  const [kind, id, first, credit, list] = args;
  if (!isCount(id)) return null;
  switch (kind) {
    case 'open':
      return typeof first === 'string' && isCount(credit) && Array.isArray(list)
        ? ['open', id, first, credit, list]
        : null;
    case 'more':
      return isCount(first) ? ['more', id, first] : null;
    case 'cancel':
      return ['cancel', id];
    case 'part':
      return ['part', id, first];
    case 'end':
      return isFailure(first) ? ['end', id, first] : ['end', id];
    default:
      return null;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isFailure(value: unknown): value is StreamFailure {
  if (typeof value !== 'object' || value === null) return false;
  const { message, code } = value as Partial<Record<keyof StreamFailure, unknown>>;
  return typeof message === 'string' && typeof code === 'string';
}
