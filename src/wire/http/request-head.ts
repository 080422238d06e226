/**
 * What: the head of an HTTP/1.1 request as a value, and back (RFC 9112 section 3).
 * Must not know: what is requested, or who answers.
 */
import { UsageError } from '../../base/errors.ts';
import { isToken } from '../../base/token.ts';
import {
  defaultHeadLimits,
  formatFields,
  type HeaderFields,
  type HeadLimits,
  malformedHead,
  parseFields,
  splitLines,
} from './header-fields.ts';

export interface RequestHead {
  readonly method: string;
  /** As sent; not decoded, not checked beyond its characters. */
  readonly target: string;
  /** `1.0`, `1.1`. */
  readonly httpVersion: string;
  readonly headers: HeaderFields;
}

/** HTTP-version = "HTTP/" DIGIT "." DIGIT, of which only major version 1 is read here. */
export function parseHttpVersion(text: string): string | null {
  return text === 'HTTP/1.1' ? '1.1' : text === 'HTTP/1.0' ? '1.0' : null;
}

function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code > 0xff) return false;
  }
  return text.length > 0;
}

/**
 * Reads the head of a request.
 * @param text from the first byte to the empty line, as `HeadCollector` gives it.
 * @throws {PeerError} `HTTP_MALFORMED_HEAD`, `HTTP_TOO_MANY_FIELDS`: answer 400 or 431.
 */
export function parseRequestHead(text: string, limits: HeadLimits = defaultHeadLimits): RequestHead {
  const lines = splitLines(text);
  if (lines.length < 2 || lines.at(-1) !== '') throw malformedHead('no empty line at the end');
  lines.pop();
  // RFC 9112 section 3: request-line = method SP request-target SP HTTP-version
  const parts = lines[0]!.split(' ');
  const [method = '', target = '', version = ''] = parts;
  const httpVersion = parseHttpVersion(version);
  if (parts.length !== 3 || !isToken(method) || !isTarget(target) || httpVersion === null) {
    throw malformedHead('the request line');
  }
  const headers = parseFields(lines, 1, limits);
  // RFC 9112 section 3.2: a request of HTTP/1.1 has one Host header; two are joined with a comma, which no host has.
  const host = headers.host;
  if ((host === undefined && httpVersion === '1.1') || host?.includes(',')) {
    throw malformedHead('not exactly one Host header');
  }
  return { method, target, httpVersion, headers };
}

/**
 * Writes the head of a request, to its final empty line.
 * @throws {UsageError} `HTTP_INVALID_REQUEST_LINE`, `HTTP_INVALID_FIELD`.
 */
export function formatRequestHead(
  method: string,
  target: string,
  fields: Iterable<readonly [name: string, value: string]>,
): string {
  if (!isToken(method) || !isTarget(target)) {
    throw new UsageError('The method or the request target has a character that is not allowed', {
      code: 'HTTP_INVALID_REQUEST_LINE',
    });
  }
  return `${method} ${target} HTTP/1.1\r\n${formatFields(fields)}`;
}
