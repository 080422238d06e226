/**
 * What: reads the head of a plain upgrade request out of one chunk, or says that it is not one.
 * Must not know: what is answered. Whatever is unusual is left to Node's own parser, so nothing is refused here.
 */
import { skipSpace, skipToken } from '../../base/token.ts';
import { listHasToken } from '../../wire/http/token-list.ts';

/** A request of which nothing remains to be read but the frames behind it. */
export interface UpgradeHead {
  readonly url: string;
  /** Name, value, name, value, as sent. */
  readonly rawHeaders: string[];
}

/** As Node's parser allows by default. */
const HEAD_LIMIT_CHARACTERS = 16_384;
const FIELD_LIMIT = 100;
const LINE_START = 'GET ';
const LINE_END = ' HTTP/1.1';
const colon = 0x3a;

/** Visible characters, spaces, tabs and bytes above 127 (RFC 9110 section 5.5). */
function isValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

/** The target of `GET target HTTP/1.1`, of plain visible characters; null for any other line. */
function readTarget(line: string): string | null {
  if (!line.startsWith(LINE_START) || !line.endsWith(LINE_END)) return null;
  const target = line.slice(LINE_START.length, -LINE_END.length);
  if (target.charCodeAt(0) !== 0x2f) return null;
  for (let i = 1; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return null;
  }
  return target;
}

/**
 * Reads a head.
 * @param text from the request's first character to the CR LF of its last header line, that one included.
 * @returns null unless it is a GET of HTTP/1.1 with one Host, an Upgrade, and no body.
 */
export function readUpgradeHead(text: string): UpgradeHead | null {
  if (text.length > HEAD_LIMIT_CHARACTERS) return null;
  let lineEnd = text.indexOf('\r\n');
  const url = readTarget(text.slice(0, lineEnd));
  if (url === null) return null;
  const rawHeaders: string[] = [];
  let hosts = 0;
  let upgrades = false;
  let connects = false;
  for (let start = lineEnd + 2; start < text.length; start = lineEnd + 2) {
    lineEnd = text.indexOf('\r\n', start);
    const nameEnd = skipToken(text, start);
    if (lineEnd === -1 || nameEnd === start || text.charCodeAt(nameEnd) !== colon) return null;
    const name = text.slice(start, nameEnd);
    const value = text.slice(skipSpace(text, nameEnd + 1), lineEnd).trimEnd();
    if (!isValue(value) || rawHeaders.length >= 2 * FIELD_LIMIT) return null;
    rawHeaders.push(name, value);
    switch (name.toLowerCase()) {
      case 'host':
        hosts++;
        break;
      case 'upgrade':
        upgrades = true;
        break;
      case 'connection':
        connects = listHasToken(value, 'upgrade');
        break;
      // A body, or somebody who waits for leave to send one.
      case 'content-length':
      case 'transfer-encoding':
      case 'expect':
        return null;
    }
  }
  return hosts === 1 && upgrades && connects ? { url, rawHeaders } : null;
}
