/**
 * What: the head of an HTTP/1.1 response as a value, and back (RFC 9112 section 4).
 * Must not know: what was requested, or what the status means.
 */
import { UsageError } from '../../base/errors.ts';
import {
  defaultHeadLimits,
  formatFields,
  type HeaderFields,
  type HeadLimits,
  malformedHead,
  parseFields,
  splitLines,
} from './header-fields.ts';
import { parseHttpVersion } from './request-head.ts';

export interface ResponseHead {
  /** `1.0`, `1.1`. */
  readonly httpVersion: string;
  readonly status: number;
  /** The reason phrase; may be empty. */
  readonly reason: string;
  readonly headers: HeaderFields;
}

function isStatusCode(text: string): boolean {
  if (text.length !== 3) return false;
  for (let i = 0; i < 3; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.charCodeAt(0) !== 0x30;
}

/** RFC 9112 section 4: spaces, tabs, visible characters, bytes above 127. */
function isReasonPhrase(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/**
 * Reads the head of a response.
 * @param text from the first byte to the empty line, as `HeadCollector` gives it.
 * @throws {PeerError} `HTTP_MALFORMED_HEAD`, `HTTP_TOO_MANY_FIELDS`.
 */
export function parseResponseHead(text: string, limits: HeadLimits = defaultHeadLimits): ResponseHead {
  const lines = splitLines(text);
  if (lines.length < 2 || lines.at(-1) !== '') throw malformedHead('no empty line at the end');
  lines.pop();
  // RFC 9112 section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]. Some servers leave out the
  // second space with the phrase; nothing else can be meant.
  const line = lines[0]!;
  const httpVersion = parseHttpVersion(line.slice(0, 8));
  const status = line.slice(9, 12);
  const reason = line.slice(13);
  const isSpaced = line.charAt(8) === ' ' && (line.length === 12 || line.charAt(12) === ' ');
  if (httpVersion === null || !isSpaced || !isStatusCode(status) || !isReasonPhrase(reason)) {
    throw malformedHead('the status line');
  }
  return { httpVersion, status: Number(status), reason, headers: parseFields(lines, 1, limits) };
}

/**
 * Writes the head of a response, to its final empty line.
 * @throws {UsageError} `HTTP_INVALID_STATUS_LINE`, `HTTP_INVALID_FIELD`.
 */
export function formatResponseHead(
  status: number,
  reason: string,
  fields: Iterable<readonly [name: string, value: string]>,
): string {
  if (!isStatusCode(String(status)) || !isReasonPhrase(reason)) {
    throw new UsageError('The status or its reason phrase cannot stand in a status line', {
      code: 'HTTP_INVALID_STATUS_LINE',
    });
  }
  return `HTTP/1.1 ${status} ${reason}\r\n${formatFields(fields)}`;
}
