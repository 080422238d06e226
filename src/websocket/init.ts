/**
 * What: the options that a server-side runtime needs and the standard has no word for.
 * Must not know: how they are used.
 */
import type { ClientHttp2Session } from 'node:http2';
import type { RequestOptions } from 'node:https';
import { isObject, isSequence, type Members } from '../base/web-idl.ts';
import type { HeaderInit } from '../wire/http/header-init.ts';

/**
 * Options of the connection. Deviation: the standard has none of these, because a browser decides them itself.
 */
export interface ConnectionInit {
  /** More header fields of the opening request. */
  headers?: HeaderInit | undefined;
  /** Options of `https.request`: `ca`, `cert`, `key`, `rejectUnauthorized`, `servername`, `agent`, `lookup`, ... */
  request?: RequestOptions | undefined;
  /**
   * Opens the WebSocket on a stream of this session, which many may share (RFC 8441), in place of a connection of its
   * own; of `request` only `headers` and `auth` are used then. A browser does so by itself. Default: none.
   */
  http2Session?: ClientHttp2Session | undefined;
  /** Whether to offer permessage-deflate; default true, as browsers do. */
  perMessageDeflate?: boolean | undefined;
  /** Largest message accepted, in bytes after inflation; default 100 MiB, as in `ws`; 0: no limit. */
  payloadLimitBytes?: number | undefined;
  /** How long the opening handshake may take, in ms; default: as long as TCP allows. */
  handshakeTimeoutMs?: number | undefined;
  /** How long the server may take for the closing handshake, in ms; default 10000, as in Chromium. */
  closeTimeoutMs?: number | undefined;
  /** Pings the server to find half-open connections; default: none. */
  heartbeat?: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
}

/** The options that may stand in place of the constructor's second argument, or behind it. */
export interface WebSocketInit extends ConnectionInit {
  protocols?: string | Iterable<string> | undefined;
}

/**
 * Whether a second argument of `new WebSocket()` is meant as {@link WebSocketInit}. The standard would make a string
 * of such an object, `[object Object]`, and refuse it as a subprotocol: nothing is lost.
 */
export function isInit(value: unknown): value is Members {
  if (!isObject(value) || typeof value === 'function' || isSequence(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
