/**
 * What: the address of a WebSocket as given by a user, checked, and what an HTTP request needs of it.
 * Must not know: requests, redirects, options.
 */
import { areSubprotocols } from '../../protocol/websocket/client-handshake.ts';

/** Where a request goes. */
export interface Target {
  readonly isSecure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** As the URL has it, or the number that the scheme implies. */
  readonly port: string | number;
  readonly defaultPort: number;
  readonly path: string;
  /** `ws+unix:` only. */
  readonly socketPath: string | undefined;
  /** `user:password` of the URL. */
  readonly auth: string | undefined;
}

/**
 * Parses the address of a WebSocket; `http:` and `https:` become `ws:` and `wss:`.
 * @throws {SyntaxError} with the texts of `ws`.
 */
export function parseAddress(address: string | URL, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(address, base);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
  if (url.protocol === 'http:') url.protocol = 'ws:';
  else if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:' && url.protocol !== 'ws+unix:') {
    throw new SyntaxError(
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    );
  }
  if (url.protocol === 'ws+unix:' && url.pathname === '') {
    throw new SyntaxError("The URL's pathname is empty");
  }
  // RFC 6455 section 3: fragment identifiers have no meaning and must not be used.
  if (url.hash !== '') throw new SyntaxError('The URL contains a fragment identifier');
  return url;
}

const versions = [8, 13];

/**
 * Checks what a connection is to be opened with; the texts are those of `ws`.
 * @throws {RangeError} for an unknown protocol version.
 * @throws {SyntaxError} for an address or a subprotocol that cannot be.
 */
export function checkTarget(address: string | URL, protocols: readonly string[] = [], version = 13): URL {
  if (!versions.includes(version)) {
    throw new RangeError(
      `Unsupported protocol version: ${version} (supported versions: ${versions.join(', ')})`,
    );
  }
  const url = parseAddress(address);
  if (!protocols.every((name) => typeof name === 'string') || !areSubprotocols(protocols)) {
    throw new SyntaxError('An invalid or duplicated subprotocol was specified');
  }
  return url;
}

/** What a request for `url` needs. */
export function toTarget(url: URL): Target {
  const isSecure = url.protocol === 'wss:';
  const defaultPort = isSecure ? 443 : 80;
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  let path = url.pathname + url.search;
  let socketPath: string | undefined;
  if (url.protocol === 'ws+unix:') {
    // ws+unix:<socket>:<path>
    const colon = path.indexOf(':');
    socketPath = colon === -1 ? path : path.slice(0, colon);
    path = colon === -1 ? '/' : path.slice(colon + 1);
  }
  const hasUser = url.username !== '' || url.password !== '';
  return {
    isSecure,
    host,
    port: url.port || defaultPort,
    defaultPort,
    path,
    socketPath,
    auth: hasUser ? `${decode(url.username)}:${decode(url.password)}` : undefined,
  };
}

/** URLs keep a lone `%` in user and password as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
