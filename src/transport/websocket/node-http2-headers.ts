/**
 * What: headers as HTTP/2 takes them, from what programs give for HTTP/1.1.
 * Must not know: requests, answers, what a header means.
 */
import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';

/** RFC 9113 section 8.2.2: these are of the connection, and malformed in HTTP/2. Who adds them thinks of HTTP/1.1. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Adds a header under its name in lower case (RFC 9113 section 8.2.1); several of one name are kept as several.
 * @throws {TypeError} of Node for what is no header.
 */
export function addHeader(headers: OutgoingHttpHeaders, name: string, value: string): void {
  validateHeaderName(name);
  validateHeaderValue(name, value);
  const key = name.toLowerCase();
  if (ofConnection.has(key)) return;
  const before = headers[key];
  if (before === undefined) headers[key] = value;
  else headers[key] = [...(Array.isArray(before) ? before : [`${before}`]), value];
}

/** All of `given`; a later name replaces an earlier one that differs in case only. */
export function toHttp2Headers(given: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    delete headers[name.toLowerCase()];
    for (const one of Array.isArray(value) ? value : [value]) addHeader(headers, name, `${one}`);
  }
  return headers;
}
