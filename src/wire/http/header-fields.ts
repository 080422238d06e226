/**
 * What: the header lines of an HTTP/1.1 message (RFC 9112 section 5) as fields, and back.
 * Must not know: start lines, bodies, what a field means.
 */
import { PeerError, UsageError } from '../../base/errors.ts';
import { isToken, skipToken, trimSpace } from '../../base/token.ts';

/**
 * Fields by name in lower case. Lines of the same name are joined with a comma (RFC 9110 section 5.3), so that a
 * field that may come once only does not pass its check when it came twice. Has no prototype.
 */
export type HeaderFields = Readonly<Record<string, string | undefined>>;

/** Sizes that a head must keep to. */
export interface HeadLimits {
  /** The whole head, start line and final empty line included. Default 16 KiB, as Node's. */
  readonly headLimitBytes: number;
  /** Number of header lines. Default 100. */
  readonly fieldLimit: number;
}

/** What is accepted unless someone says otherwise. */
export const defaultHeadLimits: HeadLimits = { headLimitBytes: 16_384, fieldLimit: 100 };

const colon = 0x3a;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

export function malformedHead(what: string): PeerError {
  return new PeerError(`Malformed HTTP head: ${what}`, { code: 'HTTP_MALFORMED_HEAD' });
}

/**
 * Splits a head into its lines.
 * RFC 9112 section 2.2: lines end with CR LF. A CR or LF alone is refused: where two readers see different lines,
 * requests are smuggled.
 * @throws {PeerError} `HTTP_MALFORMED_HEAD`.
 */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === carriageReturn && text.charCodeAt(i + 1) === lineFeed) {
      lines.push(text.slice(start, i));
      i += 1;
      start = i + 1;
    } else if (code === carriageReturn || code === lineFeed) {
      throw malformedHead('a line break that is not CR LF');
    }
  }
  if (start !== text.length) throw malformedHead('the last line does not end');
  return lines;
}

/** RFC 9110 section 5.5: visible characters, spaces, tabs, and bytes above 127; no other control characters. */
function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/**
 * Reads header lines.
 * @param lines without their ends; from `first` on.
 * @throws {PeerError} `HTTP_MALFORMED_HEAD`; `HTTP_TOO_MANY_FIELDS` with the limit.
 */
export function parseFields(lines: readonly string[], first: number, limits: HeadLimits): HeaderFields {
  const { fieldLimit } = limits;
  if (lines.length - first > fieldLimit) {
    throw new PeerError('Too many header lines', {
      code: 'HTTP_TOO_MANY_FIELDS',
      limit: { name: 'fieldLimit', value: fieldLimit },
    });
  }
  const fields = Object.create(null) as Record<string, string | undefined>;
  for (let i = first; i < lines.length; i++) {
    const line = lines[i]!;
    const nameEnd = skipToken(line, 0);
    // RFC 9112 sections 5.1 and 5.2: no white space before the colon, and no line that continues the one before.
    if (nameEnd === 0 || line.charCodeAt(nameEnd) !== colon)
      throw malformedHead('a header line without a name');
    const value = trimSpace(line, nameEnd + 1, line.length);
    if (!isFieldValue(value)) throw malformedHead('a control character in a header');
    const name = line.slice(0, nameEnd).toLowerCase();
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return fields;
}

/**
 * Writes header lines, each with its end, and the empty line behind them.
 * @throws {UsageError} `HTTP_INVALID_FIELD` for a name or value that would break the head.
 */
export function formatFields(fields: Iterable<readonly [name: string, value: string]>): string {
  let text = '';
  for (const [name, value] of fields) {
    if (!isToken(name) || !isFieldValue(value)) {
      throw new UsageError(`The header ${JSON.stringify(name)} has a character that is not allowed`, {
        code: 'HTTP_INVALID_FIELD',
      });
    }
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
