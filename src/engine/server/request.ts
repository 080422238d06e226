/**
 * What: a request as the engine reads it: its query, and the response that belongs to it.
 * Must not know: what the parameters mean.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The query's parameters; of several with the same name, the last. */
export type Query = Record<string, string>;

/** A request with what the engine (and engine.io before it) attaches to it. */
export interface EngineRequest extends IncomingMessage {
  _query?: Query;
  res?: ServerResponse;
}

/**
 * The host that a request was sent to.
 * RFC 9113 section 8.3.1: over HTTP/2, clients send `:authority` in place of Host.
 */
export function hostOf({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority'];
  return headers.host ?? (typeof authority === 'string' ? authority : undefined);
}

/** Reads the query once and keeps it with the request. Never throws: malformed escapes stay as they are. */
export function queryOf(request: EngineRequest): Query {
  request._query ??= parseQuery(request.url ?? '');
  return request._query;
}

function parseQuery(url: string): Query {
  const start = url.indexOf('?');
  if (start === -1) return {};
  const end = url.indexOf('#', start);
  const text = end === -1 ? url.slice(start + 1) : url.slice(start + 1, end);
  return Object.fromEntries(new URLSearchParams(text));
}
