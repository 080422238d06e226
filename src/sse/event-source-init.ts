/**
 * What: the options of an EventSource: the one of the standard, and those that a program outside of browsers needs.
 * Must not know: how they are used.
 */
import type { RequestOptions } from 'node:https';
import type { HeaderInit } from '../wire/http/header-init.ts';

/** `withCredentials` is the standard's; the others are for Node, where no page and no browser decide them. */
export interface EventSourceInit {
  /**
   * Whether credentials (`cookie` and `authorization` of `headers`, user and password of the URL) go along to another
   * origin, after a redirect. Default false. The own origin is `origin`, or else that of the URL.
   */
  withCredentials?: boolean | undefined;
  /** More header fields of each request, such as `authorization` or `cookie`. */
  headers?: HeaderInit | undefined;
  /** Options of `https.request`: `ca`, `cert`, `key`, `rejectUnauthorized`, `agent`, `lookup`, ... */
  request?: RequestOptions | undefined;
  /**
   * The origin of the program, such as `https://example.com`. Given it, requests to other origins carry `Origin`, and
   * their answers must allow it (CORS), as for a page. Default: nothing is checked, since there is no page to protect.
   */
  origin?: string | undefined;
  /** Milliseconds until the first reconnection, unless the server says `retry`. Default 3000, as in Chromium. */
  reconnectionTimeMs?: number | undefined;
  /** Reconnects when nothing came for so many ms, comments included. Default 0: never, as in browsers. */
  silenceTimeoutMs?: number | undefined;
  /** Most characters of one event; beyond it the connection fails for good. Default 100 Mi; 0: no limit. */
  eventLimitChars?: number | undefined;
}
