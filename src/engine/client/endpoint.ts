/**
 * What: the URL that a session's requests go to, from an address or from its parts.
 * Must not know: who connects, or how.
 */
import type { EngineOptions } from './options.ts';

/** Query parameters as an object of texts. */
export function parseQuery(query: EngineOptions['query']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(new URLSearchParams(query as Record<string, string>));
}

/**
 * The endpoint, as `http:` or `https:`; its query is that of the address.
 * @param address with a scheme. Its path is the program's matter, not the endpoint's.
 * @param page where neither address nor host is given.
 * @throws {TypeError} `ERR_INVALID_URL` when the address is none.
 */
export function resolveEndpoint(
  address: string | undefined,
  { host, hostname = host, port, secure, path = '/engine.io', addTrailingSlash }: EngineOptions,
  page = 'http://localhost',
): URL {
  const url = new URL(address ?? (hostname ? `//${hostname}` : '/'), page);
  if (!address) {
    if (secure !== undefined) url.protocol = secure ? 'https' : 'http';
    if (port) url.port = String(port);
    url.search = '';
  }
  url.protocol = url.protocol.replace('ws', 'http');
  url.pathname = path.replace(/\/$/, '') + (addTrailingSlash === false ? '' : '/');
  // Browsers request no URL that holds a password.
  url.username = url.password = url.hash = '';
  return url;
}
