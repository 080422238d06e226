/**
 * What: what a socket knows of the request that opened its connection, in the shape that programs read.
 * Must not know: sockets; it is built when somebody asks, from the request alone.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ParsedUrlQuery, parse as parseQuery } from 'node:querystring';
import type { Untyped } from '../base/typed-events.ts';

/** Everything known about the opening of a connection. */
export interface Handshake<Auth = Record<string, Untyped>> {
  headers: IncomingHttpHeaders;
  /** The time of the connection as text, as `Date` writes it. */
  time: string;
  /** The peer's address, as the connection shows it: behind a proxy it is the proxy's. */
  address: string;
  /** Whether the request has an Origin. */
  xdomain: boolean;
  /** Whether the connection is encrypted. */
  secure: boolean;
  /** The time of the connection in milliseconds since 1970. */
  issued: number;
  /** The URL of the request, with its query. */
  url: string;
  /** The query of the URL. */
  query: ParsedUrlQuery;
  /** What the client gave as `auth`. Nobody has checked it, unless a contract declares it. */
  auth: Auth;
}

/** Requests may carry their parsed query: middlewares of Engine.IO put it there. */
type RequestWithQuery = IncomingMessage & { _query?: ParsedUrlQuery };

/** Builds the handshake. Without a request (a transport that has none) it is secure and empty. */
export function buildHandshake(
  request: RequestWithQuery | undefined,
  address: string | undefined,
  issued: number,
  auth: Record<string, Untyped>,
): Handshake {
  const url = request?.url ?? '';
  const mark = url.indexOf('?');
  const connection = request?.socket as { encrypted?: boolean } | undefined;
  return {
    headers: request?.headers ?? {},
    time: `${new Date(issued)}`,
    address: address ?? '',
    xdomain: Boolean(request?.headers.origin),
    secure: request === undefined || Boolean(connection?.encrypted),
    issued,
    url,
    // A copy without a prototype trap: querystring's result has none, and programs expect a plain object.
    query: { ...(request?._query ?? parseQuery(mark === -1 ? '' : url.slice(mark + 1))) },
    auth,
  };
}
