/**
 * What: writes events of a `text/event-stream` (WHATWG HTML, section 9.2 "Server-sent events").
 * Must not know: HTTP, streams, who reads.
 */
import { UsageError } from '../../base/errors.ts';

/** One event, or a part of one: all members are optional. */
export interface EventStreamMessage {
  /** Name of the event; absent: `message`. No line breaks. */
  readonly event?: string;
  /** Any text; each of its lines becomes a `data` line. Absent: the event only sets `id` or `retry`. */
  readonly data?: string;
  /** What the client presents as `Last-Event-ID` when it comes back; empty: forget the last one. */
  readonly id?: string;
  /** Milliseconds after which the client is to reconnect. */
  readonly retryMs?: number;
}

/** Code of the {@link UsageError} that this file throws. */
export const SSE_FIELD_INVALID = 'SSE_FIELD_INVALID';

/** WHATWG HTML 9.2.5: a line ends with CR LF, LF or CR. */
const LINE_END = /\r\n|\n|\r/;
const HAS_LINE_END = /[\r\n]/;

/**
 * Formats one event, blank line included.
 * @throws {UsageError} `SSE_FIELD_INVALID` when a field would break out of its line, or would be ignored by clients.
 */
export function formatEvent(message: EventStreamMessage): string {
  const { event, data, id, retryMs } = message;
  let text = '';
  if (event !== undefined) {
    if (HAS_LINE_END.test(event)) throw invalid('event', 'may not contain a line break');
    text += `event: ${event}\n`;
  }
  if (id !== undefined) {
    // WHATWG HTML 9.2.6: a client ignores an id with U+0000 and would present an older one.
    if (HAS_LINE_END.test(id) || id.includes('\0'))
      throw invalid('id', 'may not contain a line break or U+0000');
    text += `id: ${id}\n`;
  }
  if (retryMs !== undefined) {
    // WHATWG HTML 9.2.6: only ASCII digits are taken.
    if (!Number.isSafeInteger(retryMs) || retryMs < 0)
      throw invalid('retryMs', 'must be a whole number from 0 on');
    text += `retry: ${retryMs}\n`;
  }
  if (data !== undefined) {
    if (HAS_LINE_END.test(data)) for (const line of data.split(LINE_END)) text += `data: ${line}\n`;
    else text += `data: ${data}\n`;
  }
  return `${text}\n`;
}

/** Formats a comment, which clients ignore: a keep-alive for proxies that cut idle responses. */
export function formatComment(comment = ''): string {
  let text = '';
  for (const line of comment.split(LINE_END)) text += `: ${line}\n`;
  return `${text}\n`;
}

function invalid(field: string, rule: string): UsageError {
  return new UsageError(`The ${field} of a server-sent event ${rule}.`, { code: SSE_FIELD_INVALID });
}
